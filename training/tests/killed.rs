//! A training that is killed at any moment, or runs out of disk, goes on as if nothing had happened.
#![cfg(unix)]

#[expect(dead_code, reason = "not every test needs everything")]
mod common;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use common::{batch, config, pretrained};
use pretrained::{ImageEncoder, PretrainedModel, TextDecoder};
use serde_json::{Value, json};
use training::{
    Batch, BatchSource, BoxError, Evaluation, PretrainedFiles, Progress, Trainer, TrainingConfig,
    TrainingObserver, UpdateReport, latest_checkpoint,
};

/// Where the training that runs in its own process saves.
const OUTPUT: &str = "TRAINING_OUTPUT";

/// The losses of all updates, also of those that were made several times.
const LOSSES: &str = "losses.txt";

const UPDATES: usize = 20;

/// Of the test program, to run the training.
const ARGUMENTS: [&str; 4] = ["--ignored", "--exact", "training_process", "--nocapture"];

struct Endless {
    next: usize,
    device: Device,
}

impl BatchSource for Endless {
    type Input = Tensor<4>;

    fn next(&mut self) -> Result<Option<Batch<Tensor<4>>>, BoxError> {
        self.next += 1;
        Ok(Some(batch(self.next, &self.device)))
    }

    fn position(&self) -> Value {
        json!(self.next)
    }

    fn restore(&mut self, position: &Value) -> Result<(), BoxError> {
        self.next = position.as_u64().ok_or("no position")? as usize;
        Ok(())
    }
}

struct Recorder(PathBuf);

impl TrainingObserver<ImageEncoder, TextDecoder> for Recorder {
    fn on_update(&mut self, report: &UpdateReport, _progress: &Progress) -> ControlFlow<()> {
        let line = format!("{} {:016x}\n", report.update, report.loss.to_bits());
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.0)
            .unwrap();
        file.write_all(line.as_bytes()).unwrap();
        ControlFlow::Continue(())
    }

    fn evaluate(
        &mut self,
        _model: &PretrainedModel,
        progress: &Progress,
    ) -> Result<Option<Evaluation>, BoxError> {
        let score = (progress.update * 7 % 11) as f64;
        let metrics = BTreeMap::from([("score".to_owned(), score)]);
        Ok(Some(Evaluation { metrics }))
    }
}

/// Not a test by itself: the training that the tests kill.
#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn training_process() {
    let Some(output) = std::env::var_os(OUTPUT).map(PathBuf::from) else {
        return;
    };
    let made = pretrained(r#", "dropout": 0.2, "attention_dropout": 0.1"#, "");
    let files = PretrainedFiles::new(&made, None);
    let config = TrainingConfig {
        gradient_accumulation_steps: 2,
        save_steps: Some(2),
        save_total_limit: Some(2),
        eval_steps: Some(3),
        metric_for_best_model: Some("score".into()),
        ema_decay: Some(0.9),
        ..config(UPDATES)
    };
    let mut trainer = Trainer::new(made.model, config, &files).unwrap();
    let device = Device::flex().autodiff();
    let mut source = Endless { next: 0, device };
    if let Some(folder) = latest_checkpoint(&output).unwrap() {
        let position = trainer.restore(&folder, &files).unwrap();
        source.restore(&position).unwrap();
    }
    let mut recorder = Recorder(output.join(LOSSES));
    trainer
        .run(&mut source, &files, &output, &mut recorder)
        .unwrap();
}

/// Begins or resumes the training of a folder.
fn start(output: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(ARGUMENTS)
        .env(OUTPUT, output)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finish(output: &Path) {
    let output = start(output).wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The losses of each update, which has to have the same bits every time that it was made.
fn losses(output: &Path) -> BTreeMap<usize, String> {
    let text = fs::read_to_string(output.join(LOSSES)).unwrap();
    let mut losses = BTreeMap::new();
    for line in text.lines() {
        let (update, loss) = line.split_once(' ').unwrap();
        let (update, loss) = (update.parse().unwrap(), loss.to_owned());
        let before = losses.insert(update, loss.clone());
        assert!(
            before.is_none_or(|before| before == loss),
            "update {update}"
        );
    }
    losses
}

/// The files of the last checkpoint.
fn last(output: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = latest_checkpoint(output).unwrap().unwrap();
    assert!(
        folder.ends_with(format!("checkpoint-{UPDATES}")),
        "{}",
        folder.display()
    );
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn assert_equal(output: &Path, whole: &Path) {
    assert_eq!(losses(output), losses(whole));
    let (found, expected) = (last(output), last(whole));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, content) in &found {
        assert!(*content == expected[name], "{name} differs");
    }
}

#[test]
fn fifty_kills_change_no_bit() {
    let whole = tempfile::tempdir().unwrap();
    let began = Instant::now();
    finish(whole.path());
    let whole_time = began.elapsed();

    let mut moment: u64 = 5;
    let mut kills = 0;
    while kills < 50 {
        let output = tempfile::tempdir().unwrap();
        while latest_checkpoint(output.path())
            .unwrap()
            .is_none_or(|folder| !folder.ends_with(format!("checkpoint-{UPDATES}")))
        {
            let mut child = start(output.path());
            moment = moment
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Up to a third of a training.
            let share = (moment >> 33) as f64 / f64::from(1_u32 << 31);
            std::thread::sleep(Duration::from_secs_f64(
                whole_time.as_secs_f64() * share / 3.0,
            ));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap(); // SIGKILL
                kills += 1;
            }
            child.wait().unwrap();
        }
        // What a kill left of checkpoints and their deletion goes away with the next save.
        assert_equal(output.path(), whole.path());
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let whole = tempfile::tempdir().unwrap();
    finish(whole.path());
    let output = tempfile::tempdir().unwrap();
    let mut child = start(output.path());
    while latest_checkpoint(output.path()).unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = latest_checkpoint(output.path()).unwrap().unwrap();

    // No file may become larger than 20 KB, as if the disk were full.
    let program = std::env::current_exe().unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""])
        .arg(program)
        .args(ARGUMENTS)
        .env(OUTPUT, output.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let failed = shell.output().unwrap();
    let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success());
    assert!(errors.contains("FileTooLarge"), "{errors}");
    assert_eq!(latest_checkpoint(output.path()).unwrap(), Some(before));

    finish(output.path());
    assert_equal(output.path(), whole.path());
}
