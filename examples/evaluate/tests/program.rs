//! Runs the compiled program with the embedded model on pictures whose captions are known.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use metrics::Corpus;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Sixteen pictures, the captions that transformers writes for them, and the right ones.
const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);
const HEADER: &str = "image_file\tcaption\turl\tlang_id\n";

fn expected() -> Vec<Value> {
    let json = fs::read(Path::new(SAMPLES).join("expected.json")).unwrap();
    let file: Value = serde_json::from_slice(&json).unwrap();
    file["samples"].as_array().unwrap().clone()
}

/// A table in a folder of its own.
struct Data {
    folder: TempDir,
}

impl Data {
    fn of(rows: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("data.tsv"), rows).unwrap();
        Self { folder }
    }

    /// The first samples in these languages, and more rows.
    fn of_samples(count: usize, languages: &[&str], more: &str) -> Self {
        let mut rows = String::from(HEADER);
        for sample in &expected()[..count] {
            for language in languages {
                let (image, truth) = (text(&sample["image"]), text(&sample["truth"][language]));
                rows += &format!("{image}\t{truth}\t\t{language}\n");
            }
        }
        Self::of(&(rows + more))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program with greedy search, which is fastest.
    fn run(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_evaluate"))
            .arg("--data")
            .arg(self.file("data.tsv"))
            .args(["--image-folder", SAMPLES, "--num-beams", "1"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(!errors(&output).contains("fault"), "{}", errors(&output));
        output
    }

    fn captions(&self) -> Vec<Value> {
        let lines = fs::read_to_string(self.file("captions.jsonl")).unwrap();
        let lines = lines.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn captions_are_those_of_transformers_and_scores_those_of_the_crate() {
    let languages = ["en_XX", "es_XX"];
    let data = Data::of_samples(16, &languages, "");
    let output = data.run(&["--json", "--captions", "captions.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let found = json(&output);
    assert_eq!(found["pictures"], 16);
    let captions = data.captions();
    assert_eq!(captions.len(), 32);
    let mut corpora = languages.map(|_| Corpus::default());
    for (caption, sample) in captions
        .iter()
        .zip(expected().iter().flat_map(|one| [one, one]))
    {
        assert!(text(&caption["image"]).ends_with(text(&sample["image"])));
        let language = text(&caption["lang"]);
        let generated = &sample["generated"][format!("{language} greedy")]["text"];
        let (prediction, truth) = (text(&caption["prediction"]), &sample["truth"][language]);
        assert_eq!(prediction, text(generated));
        assert_eq!(caption["references"], json!([truth]));
        let index = languages.iter().position(|one| *one == language).unwrap();
        corpora[index].add(prediction, &[text(truth)]).unwrap();
    }
    for (scores, corpus) in found["languages"].as_array().unwrap().iter().zip(corpora) {
        let expected = corpus.score();
        for (name, value) in [
            ("BLEU-4", expected.bleu[3]),
            ("batch BLEU-4", expected.batch_bleu[3]),
            ("COCO Bleu_2", expected.coco_bleu[1]),
            ("sacreBLEU", expected.sacre_bleu),
            ("chrF", expected.chrf),
            ("ROUGE-L", expected.rouge_l),
            ("CIDEr", expected.cider),
            ("exact", expected.exact_match),
            ("length", expected.mean_length),
            ("distinct-2", expected.distinct[1]),
        ] {
            let found = scores[name].as_f64().unwrap();
            assert!(
                (found - value).abs() < 1e-9,
                "{name}: {found}, expected {value}"
            );
        }
    }
    // The card's table.
    let table = String::from_utf8(data.run(&[]).stdout).unwrap();
    let bleu = format!("{:.5}", found["languages"][1]["BLEU-1"].as_f64().unwrap());
    let spanish = table
        .lines()
        .find(|line| line.starts_with("Spanish"))
        .unwrap();
    assert!(spanish.contains(&bleu), "{table}");
}

#[test]
fn captions_do_not_depend_on_the_size_of_a_batch_nor_on_other_languages_in_it() {
    // The last two have captions in one language each, so a batch has pictures of three kinds.
    let image = |index: usize| text(&expected()[index]["image"]).to_owned();
    let more = format!("{}\ta\t\tde\n{}\tb\t\ten\n", image(7), image(8));
    let data = Data::of_samples(5, &["en_XX", "fr_XX"], &more);
    let captions = ["1", "3", "16"].map(|size| {
        let output = data.run(&["--batch-size", size, "--captions", "captions.jsonl"]);
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
        let captions = data.captions();
        let of = |key: &str| -> Vec<String> {
            captions
                .iter()
                .map(|line| text(&line[key]).to_owned())
                .collect()
        };
        (of("image"), of("lang"), of("prediction"))
    });
    assert_eq!(captions[0].0.len(), 12);
    assert_eq!(captions[0], captions[1]);
    assert_eq!(captions[0], captions[2]);
}

#[test]
fn what_cannot_be_evaluated_is_named_and_counted_and_no_failure() {
    let more = "missing.png\ta dog\t\ten\n\
                expected.json\ta dog\t\ten\n\
                a.png\ta dog\ten\n\
                a.png\ta dog\t\txx\n\
                \ta dog\t\ten\n\
                09-noto-1f3c9.png\tein Hund\t\tde\n\
                09-noto-1f3c9.png\tun cane\t\tit_IT\n\
                09-noto-1f3c9.png\t\"a \"\"rugby\"\" ball\"\t\ten";
    let data = Data::of_samples(1, &["en_XX"], more);
    let output = data.run(&["--json", "--captions", "captions.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let found = json(&output);
    assert_eq!(found["pictures"], 2);
    let skipped = &found["skipped"];
    let counts = ["pictures", "captions", "rows"].map(|kind| skipped[kind].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 3]);
    let list = skipped["list"].as_array().unwrap();
    for (what, reason) in [
        ("missing.png", "can't read"),
        ("expected.json", "can't be decoded"),
        ("data.tsv, row 5", "expected 4 fields, found 3"),
        ("data.tsv, row 6", "unknown language"),
        ("data.tsv, row 7", "no image"),
        ("captions in it_IT", "the model does not write Italian"),
    ] {
        let is = |one: &&Value| text(&one["what"]).ends_with(what);
        let one = list
            .iter()
            .find(is)
            .unwrap_or_else(|| panic!("{what}: {list:?}"));
        assert!(text(&one["reason"]).contains(reason), "{one}");
        assert!(errors(&output).contains(what), "{}", errors(&output));
    }
    assert_eq!(
        data.captions()[2]["references"],
        json!(["a \"rugby\" ball"])
    );
    // Without anything that can be.
    let data = Data::of(&format!("{HEADER}missing.png\ta dog\t\ten\n"));
    let output = data.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("nothing could be evaluated"));
}

#[test]
fn several_captions_of_a_language_are_references_of_one() {
    let image = text(&expected()[2]["image"]).to_owned();
    let rows =
        format!("{HEADER}{image}\ta horse\t\ten\n{image}\t horse on a white background \t\ten\n");
    let data = Data::of(&rows);
    let output = data.run(&["--json", "--captions", "captions.jsonl"]);
    let found = json(&output);
    assert_eq!(found["languages"][0]["captions"], 1);
    assert_eq!(
        found["languages"][0]["exact"], 1.0,
        "spaces around do not count"
    );
    let references = &data.captions()[0]["references"];
    assert_eq!(
        *references,
        json!(["a horse", "horse on a white background"])
    );
}

#[test]
fn shards_and_tables_are_one_data_set() {
    let sample = &expected()[2];
    let data = Data::of_samples(1, &["en_XX"], "");
    let picture = fs::read(Path::new(SAMPLES).join(text(&sample["image"]))).unwrap();
    let captions = json!({ "captions": { "en": "a horse", "fr": "un cheval" } });
    let shard = fs::File::create(data.file("shard-000.tar")).unwrap();
    let mut shard = tar::Builder::new(shard);
    for (name, content) in [
        ("000.png", picture.as_slice()),
        ("000.json", captions.to_string().as_bytes()),
        ("001.png", &picture),
        ("001.txt", b"ein Pferd"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        shard.append_data(&mut header, name, content).unwrap();
    }
    shard.finish().unwrap();
    let output = data.run(&[
        "--data",
        "shard-{000..000}.tar",
        "--language",
        "German",
        "--captions",
        "captions.jsonl",
        "--html",
        "page.html",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let found = json(&output);
    assert_eq!(found["pictures"], 3);
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    let captions = data.captions();
    let lines: Vec<[&str; 3]> = captions[1..]
        .iter()
        .map(|line| ["image", "lang", "prediction"].map(|key| text(&line[key])))
        .collect();
    let generated = |code: &str| text(&sample["generated"][format!("{code} greedy")]["text"]);
    for (line, [name, code]) in lines.iter().zip([
        ["000.png", "en_XX"],
        ["000.png", "fr_XX"],
        ["001.png", "de_DE"],
    ]) {
        assert_eq!(*line, [name, code, generated(code)]);
    }
    assert_eq!(captions[2]["references"], json!(["un cheval"]));
    assert_eq!(captions[3]["references"], json!(["ein Pferd"]));
    let page = fs::read_to_string(data.file("page.html")).unwrap();
    assert!(!page.contains("no picture"));
}

#[test]
fn pixels_can_be_those_that_the_published_model_was_trained_with() {
    // The samples have the size that the model takes.
    let picture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../preprocess/tests/data/images/jpeg-420.jpg"
    );
    let data = Data::of_samples(1, &["en_XX"], &format!("{picture}\ta photo\t\ten\n"));
    let scores = |arguments: &[&str]| {
        let output = data.run(&[&["--json", "--captions", "captions.jsonl"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
        assert_eq!(json(&output)["as_published"], !arguments.is_empty());
        let captions = data.captions();
        let scores = captions.iter().map(|line| line["score"].as_f64().unwrap());
        scores.collect::<Vec<_>>()
    };
    let (ordinary, published) = (scores(&[]), scores(&["--as-published"]));
    assert_eq!(ordinary[0], published[0]);
    assert_ne!(ordinary[1], published[1]);
}

#[test]
fn the_page_is_complete_in_itself_and_shows_texts_as_they_are() {
    let image = text(&expected()[2]["image"]).to_owned();
    let more = format!("{image}\t<script>alert('x')</script> & \u{202e}\"é\"\t\tde\n");
    let data = Data::of_samples(3, &["en_XX", "fr_XX"], &(more + "no<b>.png\ta\t\ten\n"));
    let output = data.run(&["--html", "page/report.html"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let page = fs::read_to_string(data.file("page/report.html")).unwrap();
    for part in [
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; \\u{202e}&quot;é&quot;",
        "no&lt;b&gt;.png",
        "horse on a white background",
        "<h2>French</h2>",
        "src=\"data:image/jpeg;base64,/9j/",
        "color-scheme: light dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http", "no<b>", "\u{202e}"] {
        assert_eq!(
            page.matches(part).count(),
            usize::from(part == "http"),
            "{part}"
        );
    }
}

#[test]
fn what_cannot_be_used_ends_with_2_and_says_why() {
    let good = Data::of_samples(1, &["en_XX"], "");
    for (rows, message) in [
        (
            "image_file\tcaption\turl\n",
            "expected a column \"lang_id\"",
        ),
        ("", "expected column names"),
        (
            "image_file,caption,url,lang_id\n",
            "expected a column \"image_file\"",
        ),
    ] {
        let output = Data::of(rows).run(&[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains(message), "{}", errors(&output));
    }
    for (arguments, message) in [
        (&["--set", "num_beams=0"][..], "num_beams"),
        (&["--set", "beams=3"], "beams"),
        (&["--lang", "klingon"], "klingon"),
        (&["--model", "./nowhere"], "nowhere"),
        (&["--batch-size", "0"], "batch-size"),
        (&["--language", "klingon"], "klingon"),
        (&["--data", "nowhere*.tar"], "nowhere*.tar"),
        (&["--captions", "nowhere/captions.jsonl"], "nowhere"),
        (&["--punkt", "nowhere"], "nowhere"),
    ] {
        let output = good.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(message), "{}", errors(&output));
    }
    let missing = Data::of("");
    fs::remove_file(missing.file("data.tsv")).unwrap();
    assert_eq!(missing.run(&[]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn control_c_ends_with_the_scores_of_what_was_done() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let data = Data::of_samples(16, &["en_XX"], "");
    let rows = fs::read_to_string(data.file("data.tsv")).unwrap();
    let rows = rows.strip_prefix(HEADER).unwrap().repeat(200);
    // A picture that is missing says that the work has begun.
    fs::write(
        data.file("data.tsv"),
        format!("{HEADER}missing.png\ta\t\ten\n{rows}"),
    )
    .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_evaluate"))
        .args([
            "--data",
            "data.tsv",
            "--image-folder",
            SAMPLES,
            "--batch-size",
            "4",
        ])
        .args(["--json", "--captions", "captions.jsonl"])
        .current_dir(data.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(program.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("missing.png"), "{line}");
    let id = program.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = json(&output);
    assert_eq!(found["stopped"], true);
    let pictures = found["pictures"].as_u64().unwrap();
    assert!((3..3200).contains(&pictures), "{pictures}");
    assert_eq!(data.captions().len() as u64, pictures);
    assert_eq!(found["languages"][0]["captions"], pictures);
}
