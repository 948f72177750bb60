use rmp::encode;

use super::*;

/// An array as Flax writes it.
fn array(shape: &[u64], kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    encode::write_array_len(&mut payload, 3).unwrap();
    encode::write_array_len(&mut payload, shape.len() as u32).unwrap();
    for size in shape {
        encode::write_uint(&mut payload, *size).unwrap();
    }
    encode::write_str(&mut payload, kind).unwrap();
    encode::write_bin(&mut payload, bytes).unwrap();
    let mut file = Vec::new();
    encode::write_ext_meta(&mut file, payload.len() as u32, 1).unwrap();
    file.extend(payload);
    file
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    encode::write_map_len(&mut file, entries.len() as u32).unwrap();
    for (key, value) in entries {
        encode::write_str(&mut file, key).unwrap();
        file.extend(value);
    }
    file
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn number(value: u64) -> Vec<u8> {
    let mut file = Vec::new();
    encode::write_uint(&mut file, value).unwrap();
    file
}

fn flag(value: bool) -> Vec<u8> {
    let mut file = Vec::new();
    encode::write_bool(&mut file, value).unwrap();
    file
}

fn chunked(shape: &[(&str, Vec<u8>)], chunks: &[(&str, Vec<u8>)]) -> Vec<u8> {
    map(&[
        ("__msgpack_chunked_array__", flag(true)),
        ("shape", map(shape)),
        ("chunks", map(chunks)),
    ])
}

fn open(bytes: Vec<u8>) -> Result<FlaxFile, LoadError> {
    FlaxFile::from_memory("test", bytes)
}

#[test]
fn leaves_get_pytorch_names_and_kernels_keep_their_layout() {
    let six = floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let file = open(map(&[
        (
            "layer",
            map(&[
                ("kernel", array(&[2, 3], "float32", &six)),
                ("bias", array(&[6], "float32", &six)),
            ]),
        ),
        ("norm", map(&[("scale", array(&[6], "float32", &six))])),
        (
            "words",
            map(&[("embedding", array(&[3, 2], "float32", &six))]),
        ),
        ("step", array(&[], "int32", &[0; 4])),
    ]))
    .unwrap();
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "layer.bias",
            "layer.weight",
            "norm.weight",
            "step",
            "words.weight"
        ]
    );
    let info = file.info("layer.weight").unwrap();
    assert_eq!(info.shape, [2, 3]);
    assert_eq!(info.output_first_shape(), [3, 2]);
    assert_eq!(
        file.info("words.weight").unwrap().layout,
        Layout::OutputFirst
    );
    let mut values = [0.0; 2];
    file.read("layer.weight", 3, &mut values).unwrap();
    assert_eq!(values, [3.0, 4.0]);
    let error = file.read_all("step").unwrap_err();
    assert!(matches!(error, LoadError::DType { found, .. } if found == "int32"));
}

#[test]
fn arrays_in_chunks_are_read_across_their_borders() {
    let part = |first: u16| {
        let numbers = (first..first + 4).map(|number| half::bf16::from_f32(f32::from(number)));
        let bytes: Vec<u8> = numbers.flat_map(half::bf16::to_le_bytes).collect();
        array(&[4], "bfloat16", &bytes)
    };
    let shape = [("0", number(2)), ("1", number(6))];
    let parts = [("0", part(0)), ("1", part(4)), ("2", part(8))];
    let file = open(map(&[("embedding", chunked(&shape, &parts))])).unwrap();
    let info = file.info("weight").unwrap();
    assert_eq!((info.shape, info.precision), (&[2, 6][..], Precision::BF16));
    for start in 0..12 {
        for length in 0..=12 - start {
            let mut values = vec![-1.0; length];
            file.read("weight", start, &mut values).unwrap();
            let expected: Vec<f32> = (start..start + length).map(|i| i as f32).collect();
            assert_eq!(values, expected);
        }
    }
}

#[test]
fn damaged_files_are_refused_with_what_was_found() {
    let two = floats(&[1.0, 2.0]);
    let deep = (0..10_000).fold(array(&[2], "float32", &two), |inner, _| {
        map(&[("a", inner)])
    });
    // A shape of 2^60 bytes, and a map of 2^32 - 1 entries.
    let huge = array(&[1 << 30, 1 << 28], "float32", &two);
    let overflowing = array(&[1 << 40, 1 << 40], "float32", &two);
    let endless = vec![0xdf, 0xff, 0xff, 0xff, 0xff];
    let mut long_bytes = array(&[2], "float32", &two);
    let length = long_bytes.len() - two.len() - 1;
    long_bytes[length] = 0xff;
    let part = || array(&[2], "float32", &two);
    let shape = || [("0", number(4))];
    for (value, expected) in [
        (deep, "nested more than 64 deep"),
        (huge, "has 8 bytes"),
        (overflowing, "is too large for an array"),
        (endless, "ends too early"),
        (long_bytes, "an array claims 255 bytes, but there are 8"),
        (array(&[2], "int4", &two[..2]), ""),
        (array(&[1 << 40], "int8", &[]), "has 0 bytes"),
        (
            map(&[(&"long".repeat(200), array(&[2], "float32", &two))]),
            "a key claims 800 bytes",
        ),
        (
            map(&[(
                &"l".repeat(400),
                map(&[(&"m".repeat(400), array(&[2], "float32", &two))]),
            )]),
            "paths of at most 512 bytes",
        ),
        (
            array(&[3], "float32", &two),
            "[3] and type float32 has 8 bytes",
        ),
        (number(7), "expected a map or an array, found FixPos(7)"),
        (vec![0xc1], "found Reserved"),
        (vec![0xd4, 9, 0], "found an extension 9"),
        (
            chunked(&shape(), &[("0", part())]),
            "has 2 elements in 1 chunks",
        ),
        (
            chunked(&shape(), &[("0", part()), ("2", part())]),
            "found \"2\"",
        ),
        (
            chunked(
                &shape(),
                &[("0", part()), ("1", array(&[2], "float16", &two[..4]))],
            ),
            "differ in type",
        ),
        (
            map(&[("__msgpack_chunked_array__", flag(true))]),
            "expected the shape",
        ),
    ] {
        let result = open(map(&[("a", value)]));
        if expected.is_empty() {
            result.unwrap(); // an unknown type is an error only when it is read
            continue;
        }
        match result.unwrap_err() {
            error @ LoadError::Format { .. } => {
                let message = error.to_string();
                assert!(message.contains(expected), "{message}");
                assert!(
                    message.contains("test is not a readable Flax msgpack file: a"),
                    "{message}"
                );
            }
            other => panic!("{other}"),
        }
    }
    for bytes in [Vec::new(), vec![0xc0], part()] {
        let error = open(bytes).unwrap_err();
        assert!(matches!(error, LoadError::Format { .. }));
    }
    let mut longer = map(&[("a", part())]);
    longer.push(0);
    assert!(
        open(longer)
            .unwrap_err()
            .to_string()
            .contains("1 bytes follow after its end")
    );
}

#[test]
fn duplicate_names_are_refused() {
    let one = || array(&[1], "float32", &[0; 4]);
    for entries in [
        [("kernel", one()), ("kernel", one())],
        [("kernel", one()), ("scale", one())],
    ] {
        let error = open(map(&entries)).unwrap_err();
        assert!(matches!(error, LoadError::DuplicateTensor { name, .. } if name == "weight"));
    }
}

#[test]
fn files_truncated_anywhere_are_refused() {
    let shape = [("0", number(2))];
    let parts = [("0", array(&[2], "float32", &floats(&[1.0, 2.0])))];
    let whole = map(&[
        ("a", array(&[1], "float16", &[0, 0])),
        ("b", chunked(&shape, &parts)),
    ]);
    for length in 0..whole.len() {
        let error = open(whole[..length].to_vec()).unwrap_err();
        assert!(matches!(error, LoadError::Format { .. }), "{length} bytes");
    }
    open(whole).unwrap();
}
