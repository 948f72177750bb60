//! What is saved can be loaded again, and saving never leaves a mixture of two models.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::common::load;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use checkpoint::{Precision, SaveError, SaveOptions, StagedFolder};
use pretrained::Pretrained;
use tempfile::TempDir;

fn form(name: &str) -> Pretrained {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    load(folder.join(name)).unwrap()
}

/// The values of all parameters of a model.
fn values(pretrained: &Pretrained) -> Vec<f32> {
    struct Collect(Vec<f32>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            self.0.extend(data.try_into_vec::<f32>().unwrap());
        }
    }
    let mut collect = Collect(Vec::new());
    pretrained.model.visit(&mut collect);
    collect.0
}

/// The model with its projection's parameters multiplied by `factor`.
fn with_projection_scaled(mut pretrained: Pretrained, factor: f32) -> Pretrained {
    struct Scale(f32);
    impl ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor * self.0)
        }
    }
    let projection = pretrained.model.projection.take();
    pretrained.model.projection = projection.map(|layer| layer.map(&mut Scale(factor)));
    pretrained
}

fn saved(pretrained: &Pretrained, options: &SaveOptions) -> (TempDir, Pretrained) {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("a/b");
    pretrained.save(&folder, options).unwrap();
    let again = load(&folder).unwrap();
    (place, again)
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_form_comes_back_with_every_value_and_option() {
    for name in ["safetensors", "flax-published", "flax-parts-bfloat16"] {
        let pretrained = form(name);
        let options = SaveOptions {
            precision: pretrained.precision,
            ..SaveOptions::default()
        };
        let (_place, again) = saved(&pretrained, &options);
        assert_eq!(values(&again), values(&pretrained), "{name}");
        assert_eq!(again.config, pretrained.config);
        assert_eq!(again.generation_config, pretrained.generation_config);
        assert_eq!(again.precision, pretrained.precision);
    }
}

#[test]
fn half_precision_rounds_to_the_nearest_and_refuses_what_is_out_of_range() {
    let pretrained = form("safetensors");
    for (precision, relative) in [
        (Precision::F16, 1.0 / 2048.0),
        (Precision::BF16, 1.0 / 256.0),
    ] {
        let options = SaveOptions {
            precision,
            ..SaveOptions::default()
        };
        let (_place, again) = saved(&pretrained, &options);
        for (found, expected) in values(&again).into_iter().zip(values(&pretrained)) {
            assert!((found - expected).abs() <= expected.abs() * relative + 1e-7);
        }
    }
    let large = with_projection_scaled(pretrained, 1e6);
    let options = |precision| SaveOptions {
        precision,
        ..SaveOptions::default()
    };
    let place = TempDir::new().unwrap();
    match large
        .save(place.path(), &options(Precision::F16))
        .unwrap_err()
    {
        SaveError::OutOfRange { name, .. } => assert_eq!(name, "enc_to_dec_proj.weight"),
        other => panic!("{other}"),
    }
    assert!(files(place.path()).is_empty());
    large.save(place.path(), &options(Precision::BF16)).unwrap();
}

#[test]
fn a_folder_changes_between_one_file_and_shards_and_keeps_other_files() {
    let pretrained = form("safetensors");
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("notes.txt"), "mine").unwrap();
    fs::write(place.path().join("flax_model.msgpack"), "old").unwrap();
    let whole = SaveOptions::default();
    let small = SaveOptions {
        max_shard_size: 4000,
        ..SaveOptions::default()
    };
    let plain = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "notes.txt",
    ];
    for _ in 0..2 {
        pretrained.save(place.path(), &whole).unwrap();
        assert_eq!(files(place.path()), plain);
        pretrained.save(place.path(), &small).unwrap();
        let sharded = files(place.path());
        assert!(sharded.contains(&"model.safetensors.index.json".into()));
        assert!(
            sharded.iter().filter(|name| name.contains("-of-")).count() >= 4,
            "{sharded:?}"
        );
        assert!(!sharded.contains(&"model.safetensors".into()));
        let again = load(place.path()).unwrap();
        assert_eq!(values(&again), values(&pretrained));
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused_before_anything_changes() {
    let pretrained = form("safetensors");
    let small = SaveOptions {
        max_shard_size: 4000,
        ..SaveOptions::default()
    };
    let place = TempDir::new().unwrap();
    pretrained.save(place.path(), &small).unwrap();
    // A file can't replace a folder of the same name.
    let shard = files(place.path())
        .into_iter()
        .find(|name| name.starts_with("model-00003"));
    let obstacle = place.path().join(shard.unwrap());
    fs::remove_file(&obstacle).unwrap();
    fs::create_dir_all(obstacle.join("inside")).unwrap();
    let before = files(place.path());
    let error = pretrained.save(place.path(), &small).unwrap_err();
    assert!(
        matches!(&error, SaveError::Io { path, .. } if *path == obstacle),
        "{error}"
    );
    assert_eq!(files(place.path()), before);
}

#[test]
fn a_folder_that_is_not_committed_leaves_no_trace() {
    let place = TempDir::new().unwrap();
    let destination = place.path().join("model");
    let staged = StagedFolder::new(&destination).unwrap();
    form("safetensors")
        .write(&staged, &SaveOptions::default())
        .unwrap();
    assert_eq!(files(place.path()).len(), 1);
    drop(staged);
    assert!(files(place.path()).is_empty());

    fs::write(&destination, "a file").unwrap();
    let error = StagedFolder::new(&destination).unwrap_err();
    assert!(matches!(error, SaveError::Io { path, .. } if path == destination));
}

/// The environment variable with the folder that a child process of the next test saves into until it
/// is killed.
const FOLDER: &str = "SAVE_INTO";

#[test]
fn a_killed_save_leaves_the_old_weights_or_the_new_ones() {
    let models = || {
        let first = form("safetensors");
        let second = with_projection_scaled(first.clone(), 2.0);
        [first, second]
    };
    if let Ok(folder) = std::env::var(FOLDER) {
        let folder = PathBuf::from(folder);
        for model in models().iter().cycle() {
            model.save(&folder, &SaveOptions::default()).unwrap();
        }
    }
    let place = TempDir::new().unwrap();
    let folder = place.path().join("model");
    let models = models();
    models[0].save(&folder, &SaveOptions::default()).unwrap();
    let expected = models.map(|model| values(&model));
    let test = "a_killed_save_leaves_the_old_weights_or_the_new_ones";
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(40 + round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = load(&folder).unwrap();
        assert!(expected.contains(&values(&found)), "round {round}");
    }
}
