//! A parameter has the layout that the table of weight names declares, whatever its module is called.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use checkpoint::{
    Layout, LoadError, PackedFile, SaveError, SaveOptions, TableError, WeightGroup, WeightNames,
    load_weights, load_weights_except, open_weights, save_packed_weights, save_weights,
};
use packed_linear::{Format, LinearWeight, PackedLinear};
use tempfile::TempDir;

/// A square matrix in a module with a name of its own.
#[derive(Module, Debug)]
struct Mixer {
    matrix: Param<Tensor<2>>,
}

/// The same in a module with the name of one of Burn's.
#[derive(Module, Debug)]
struct Linear {
    matrix: Param<Tensor<2>>,
}

#[derive(Module, Debug)]
struct Pair {
    mixer: Mixer,
    linear: Linear,
}

/// Parameters that are not matrices.
#[derive(Module, Debug)]
struct Vector {
    weight: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Kernel {
    weight: Param<Tensor<4>>,
}

const SIDE: usize = 3;

fn pair(values: Tensor<2>) -> Pair {
    Pair {
        mixer: Mixer {
            matrix: Param::from_tensor(values.clone()),
        },
        linear: Linear {
            matrix: Param::from_tensor(values),
        },
    }
}

/// `0, 1, 2, ..`
fn counted<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn save(module: &impl Module, table: &[(&str, &str, Layout)]) -> Result<TempDir, SaveError> {
    let folder = TempDir::new().unwrap();
    with_names(table, |names| {
        save_weights(module, names, folder.path(), &SaveOptions::default())
    })?;
    Ok(folder)
}

fn load<M: Module>(
    module: M,
    folder: &TempDir,
    table: &[(&str, &str, Layout)],
) -> Result<M, LoadError> {
    let source = open_weights(folder.path()).unwrap();
    with_names(table, |names| load_weights(module, source.as_ref(), names))
}

fn with_names<R>(table: &[(&str, &str, Layout)], work: impl FnOnce(&WeightNames<'_>) -> R) -> R {
    let group = WeightGroup {
        module: "",
        checkpoint: &[""],
        names: table,
    };
    work(&WeightNames {
        groups: &[group],
        ignored: &[],
    })
}

fn table(layout: Layout) -> [(&'static str, &'static str, Layout); 2] {
    [
        ("mixer.matrix", "mixer.weight", layout),
        ("linear.matrix", "linear.weight", layout),
    ]
}

#[test]
fn a_square_matrix_is_transposed_exactly_if_its_table_says_so() {
    let stored = counted([SIDE, SIDE]);
    let fresh = || pair(stored.zeros_like());
    let folder = save(&pair(stored.clone()), &table(Layout::OutputFirst)).unwrap();
    for (layout, expected) in [
        (Layout::OutputFirst, stored.clone()),
        (Layout::OutputLast, stored.clone().transpose()),
    ] {
        let loaded = load(fresh(), &folder, &table(layout)).unwrap();
        for matrix in [&loaded.mixer.matrix, &loaded.linear.matrix] {
            assert_eq!(matrix.val().into_data(), expected.clone().into_data());
        }

        // Saved with the same table, the file is the same again.
        let saved = save(&loaded, &table(layout)).unwrap();
        for name in ["mixer.weight", "linear.weight"] {
            let read = |folder: &TempDir| open_weights(folder.path()).unwrap().read_all(name);
            assert_eq!(read(&saved).unwrap(), read(&folder).unwrap());
        }
    }
}

#[test]
fn a_conv1d_is_kept_and_stored_with_its_inputs_first_packed_or_not() {
    const SIZES: [usize; 2] = [SIDE, 5]; // inputs, outputs
    let names = [
        ("weight", "weight", Layout::Conv1d),
        ("bias", "bias", Layout::OutputFirst),
    ];
    let device = Device::flex();
    let mut layer = PackedLinear::normal(SIZES, 1.0, None, &device);
    layer.weight = LinearWeight::Ordinary(Param::from_tensor(counted(SIZES)));
    let folder = save(&layer, &names).unwrap();
    let stored = open_weights(folder.path()).unwrap();
    assert_eq!(stored.info("weight").unwrap().shape, SIZES);
    let values: Vec<f32> = counted(SIZES).try_into_vec_as().unwrap();
    assert_eq!(stored.read_all("weight").unwrap(), values);

    let input = counted::<2>([2, SIDE]);
    let expected = layer.forward(input.clone()).into_data();
    for format in [None, Some(Format::F32)] {
        let fresh = PackedLinear::normal(SIZES, 1.0, format, &device);
        let loaded = load(fresh, &folder, &names).unwrap();
        let found = loaded.forward(input.clone()).into_data();
        found.assert_eq(&expected, true);
        let saved = save(&loaded, &names).unwrap();
        let saved = open_weights(saved.path()).unwrap();
        assert_eq!(saved.info("weight").unwrap().shape, SIZES);
        assert_eq!(saved.read_all("weight").unwrap(), values);
    }
    // The packed form has its own order, in which it is read again.
    let fresh = || PackedLinear::normal(SIZES, 1.0, Some(Format::F32), &device);
    let packed = load(fresh(), &folder, &names).unwrap();
    let folder = TempDir::new().unwrap();
    with_names(&names, |names| {
        save_packed_weights(&packed, names, folder.path()).unwrap();
        let file = PackedFile::open(folder.path().join("model.packed.safetensors")).unwrap();
        let again = load_weights(fresh(), &file, names).unwrap();
        again
            .forward(input.clone())
            .into_data()
            .assert_eq(&expected, true);
    });
}

#[test]
fn parameters_that_may_be_missing_keep_their_values() {
    let folder = save(
        &pair(counted([SIDE, SIDE])),
        &table(Layout::OutputFirst)[..],
    )
    .unwrap();
    let names = [
        ("mixer.matrix", "mixer.weight", Layout::OutputFirst),
        ("linear.matrix", "other.weight", Layout::OutputFirst),
    ];
    let group = WeightGroup {
        module: "",
        checkpoint: &[""],
        names: &names,
    };
    let names = WeightNames {
        groups: &[group],
        ignored: &["linear.weight"],
    };
    let source = open_weights(folder.path()).unwrap();
    let load = |may_be_missing: &dyn Fn(&str) -> bool| {
        let fresh = pair(counted([SIDE, SIDE]) + 1.0);
        load_weights_except(fresh, source.as_ref(), &names, may_be_missing)
    };
    let loaded = load(&|path| path == "linear.matrix").unwrap();
    let values = |matrix: &Param<Tensor<2>>| matrix.val().into_data();
    assert_eq!(
        values(&loaded.mixer.matrix),
        counted::<2>([SIDE, SIDE]).into_data()
    );
    assert_eq!(
        values(&loaded.linear.matrix),
        (counted::<2>([SIDE, SIDE]) + 1.0).into_data()
    );
    let error = load(&|path| path == "mixer.matrix").unwrap_err();
    assert!(matches!(error, LoadError::MissingTensor { .. }), "{error}");
}

#[test]
fn only_a_matrix_can_be_declared_as_output_last() {
    fn check<M: Module>(module: M, shape: &[usize]) {
        let folder = save(&module, &[("weight", "weight", Layout::OutputFirst)]).unwrap();
        let table = [("weight", "weight", Layout::OutputLast)];
        match load(module.clone(), &folder, &table).unwrap_err() {
            LoadError::Table(TableError::Layout {
                parameter,
                shape: found,
            }) => assert_eq!((parameter.as_str(), found.as_slice()), ("weight", shape)),
            other => panic!("{other}"),
        }
        match save(&module, &table).unwrap_err() {
            SaveError::Table(TableError::Layout {
                parameter,
                shape: found,
            }) => assert_eq!((parameter.as_str(), found.as_slice()), ("weight", shape)),
            other => panic!("{other}"),
        }
    }
    let vector = Vector {
        weight: Param::from_tensor(counted([4])),
    };
    check(vector, &[4]);
    let kernel = Kernel {
        weight: Param::from_tensor(counted([2, 3, 2, 2])),
    };
    check(kernel, &[2, 3, 2, 2]);
}

#[test]
fn a_parameter_that_the_table_lacks_is_named() {
    let [mixer, linear] = table(Layout::OutputFirst);
    let folder = save(&pair(counted([SIDE, SIDE])), &[mixer, linear]).unwrap();
    match load(pair(counted([SIDE, SIDE])), &folder, &[mixer]).unwrap_err() {
        LoadError::Table(TableError::UnknownParameter { parameter }) => {
            assert_eq!(parameter, "linear.matrix")
        }
        other => panic!("{other}"),
    }
    match save(&pair(counted([SIDE, SIDE])), &[linear]).unwrap_err() {
        SaveError::Table(TableError::UnknownParameter { parameter }) => {
            assert_eq!(parameter, "mixer.matrix")
        }
        other => panic!("{other}"),
    }
}
