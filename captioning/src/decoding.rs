use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use generation::{Call, Decoding, Ended, Event, Generation};
use preprocess::text::Language;
use pretrained::PretrainedModel;
use vision_encoder_decoder::{GenerateError, Memory};

use crate::stream::{Drafts, image_and_language};
use crate::{CaptionEvent, CaptionOptions, Captioner, Error, LanguageCaptions};

/// Captions under way, of one or many calls with options of their own: for code that drives the steps itself,
/// such as a server.
///
/// A call can be [added](Self::add) between any two steps, and shares the steps of the model with those that are
/// under way. Its captions are those that it would get alone in such a loop: with packed weights bit for bit, with
/// ordinary ones but for the last digits of their scores.
///
/// ```no_run
/// # fn example(captioner: &captioning::Captioner, one: captioning::Memory, another: captioning::Memory)
/// # -> Result<(), captioning::Error> {
/// use captioning::{CaptionDecoding, CaptionOptions, card_defaults};
///
/// let options = CaptionOptions::new(card_defaults());
/// let mut decoding = CaptionDecoding::new(captioner);
/// let first = decoding.add(one, captioner.languages(), &options)?;
/// decoding.step()?;
/// decoding.add(another, &captioner.languages()[..1], &options)?;
/// while !decoding.is_empty() {
///     for ended in decoding.step()? {
///         let whose = if ended.call == first { "first" } else { "second" };
///         println!("{whose}, {}: {:?}", ended.captions.language.name, ended.captions.best());
///     }
/// }
/// # Ok(()) }
/// ```
pub struct CaptionDecoding<'c, 'o> {
    captioner: &'c Captioner,
    decoding: Decoding<'c, 'o, PretrainedModel>,
    calls: HashMap<Call, CallUnderWay>,
}

struct CallUnderWay {
    languages: Vec<Language>,
    prompts: usize,
    /// Why a draft could not be shown.
    failed: Arc<Mutex<Option<Error>>>,
}

/// The captions of an image in a language, which have left their [`CaptionDecoding`].
#[derive(Debug)]
pub struct CaptionsEnded {
    /// Their call.
    pub call: Call,
    /// The index of the image in the memory of the call.
    pub image: usize,
    /// The captions.
    pub captions: LanguageCaptions,
}

impl<'c, 'o> CaptionDecoding<'c, 'o> {
    /// A loop without captions.
    pub fn new(captioner: &'c Captioner) -> Self {
        Self {
            captioner,
            decoding: Decoding::new(captioner.model()),
            calls: HashMap::new(),
        }
    }

    /// Whether no caption is under way.
    pub fn is_empty(&self) -> bool {
        self.decoding.is_empty()
    }

    /// The number of rows that the next step feeds: one or more for each image and language of each call.
    pub fn rows(&self) -> usize {
        self.decoding.rows()
    }

    /// Adds encoded images, which are captioned in each of the languages, as
    /// [`Captioner::caption_with`] does.
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the options are invalid, or a text of the options
    /// can't be written with the model's tokens; and [`GenerateError::CannotJoin`] if the options have another
    /// [shortlist](CaptionOptions::shortlist) than the calls under way. Other calls go on.
    pub fn add(
        &mut self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Call, Error> {
        let languages = languages.to_vec();
        self.add_call(memory, languages, options, Arc::default(), |call| call)
    }

    /// [`add`](Self::add) with an observer, which is called after each step. When it returns
    /// [`ControlFlow::Break`], the call ends with its captions as they are.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_observed(
        &mut self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
        mut observer: impl FnMut(CaptionEvent<'_>) -> ControlFlow<()> + Send + 'o,
    ) -> Result<Call, Error>
    where
        'c: 'o,
    {
        let languages = languages.to_vec();
        let mut drafts = Drafts::new(self.captioner, languages.clone());
        let failed = Arc::new(Mutex::new(None));
        let of_call = failed.clone();
        let observe = move |event: Event<'_>| match drafts.show(event, &mut observer) {
            Ok(flow) => flow,
            Err(error) => {
                *of_call.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                ControlFlow::Break(())
            }
        };
        self.add_call(memory, languages, options, failed, |call| {
            call.with_observer(observe)
        })
    }

    fn add_call(
        &mut self,
        memory: Memory,
        languages: Vec<Language>,
        options: &CaptionOptions,
        failed: Arc<Mutex<Option<Error>>>,
        configure: impl FnOnce(Generation<'o>) -> Generation<'o>,
    ) -> Result<Call, Error> {
        let captioner = self.captioner;
        let [images, _, _] = memory.hidden.dims();
        let (prompts, row_sources) = captioner.prompts_of_images(images, &languages, options)?;
        let model = captioner.model();
        let generation = configure(captioner.generation(options, &prompts));
        // Before the memory is projected.
        model
            .validate(&generation, &prompts)
            .map_err(GenerateError::from)?;
        let state = model.begin(memory, &row_sources, options.shortlist.as_ref());
        let call = self.decoding.add(generation, state, &prompts)?;
        let under_way = CallUnderWay {
            languages,
            prompts: prompts.len(),
            failed,
        };
        self.calls.insert(call, under_way);
        Ok(call)
    }

    /// Makes a step, and returns the captions that are complete.
    ///
    /// # Errors
    /// [`Error::Generate`] if the device fails. That ends all calls, without captions.
    pub fn step(&mut self) -> Result<Vec<CaptionsEnded>, Error> {
        let ended = self.decoding.step();
        self.read(ended)
    }

    /// Ends a call before the next step. Returns those of its captions that were not complete, as they are.
    ///
    /// # Errors
    /// [`Error::Generate`] if the device fails. That ends all calls.
    pub fn cancel(&mut self, call: Call) -> Result<Vec<CaptionsEnded>, Error> {
        let ended = self.decoding.cancel(call);
        self.read(ended)
    }

    fn read(
        &mut self,
        ended: Result<Vec<Ended>, GenerateError>,
    ) -> Result<Vec<CaptionsEnded>, Error> {
        let ended = ended.inspect_err(|_| self.calls.clear())?;
        let ended = ended.into_iter().filter_map(|ended| {
            let call = self.calls.get_mut(&ended.call)?;
            let (image, language) = image_and_language(&call.languages, ended.prompt);
            let mut failed = call.failed.lock().unwrap_or_else(PoisonError::into_inner);
            let captions = match failed.take() {
                None => self.captioner.read_result(language, ended.result),
                Some(error) => Err(error),
            };
            drop(failed);
            call.prompts -= 1;
            if call.prompts == 0 {
                self.calls.remove(&ended.call);
            }
            Some(CaptionsEnded {
                call: ended.call,
                image,
                captions: LanguageCaptions { language, captions },
            })
        });
        Ok(ended.collect())
    }
}
