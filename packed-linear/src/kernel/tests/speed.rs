use super::{Random, kernels};
use crate::Format;
use crate::kernel::matrix::{Factor, Matrix, multiply_each, multiply_joined, multiply_stacked};

#[test]
#[ignore]
fn speed() {
    let mut random = Random(41);
    let kernel = kernels(Format::F32).next().unwrap();
    println!("{} threads {}", kernel.name, rayon::current_num_threads());
    let mut all = [0.0f64; 2];
    for [rows, depth, columns] in [
        [1184, 512, 1536],
        [1184, 512, 512],
        [1184, 512, 2048],
        [1184, 2048, 512],
        [512, 512, 2048],
        [512, 2048, 512],
        [512, 512, 1654],
        [2368, 192, 576],
        [2368, 192, 192],
        [2368, 192, 768],
        [2368, 768, 192],
        [768, 192, 768],
        [768, 768, 192],
        [768, 192, 1654],
        [2048, 2048, 2048],
    ] {
        let x = random.values(rows * depth);
        let w = random.values(depth * columns);
        let g = random.values(rows * columns);
        let flop = 2.0 * (rows * depth * columns) as f64;
        let best = |f: &mut dyn FnMut()| {
            let mut times: Vec<f64> = (0..15)
                .map(|_| {
                    let s = std::time::Instant::now();
                    f();
                    s.elapsed().as_secs_f64()
                })
                .collect();
            times.sort_by(f64::total_cmp);
            times[4]
        };
        let xm = Matrix::new(&x, [rows, depth]);
        let wm = Matrix::new(&w, [depth, columns]);
        let gm = Matrix::new(&g, [rows, columns]);
        let factors = [Factor {
            matrix: wm,
            bias: None,
        }];
        let t = [
            best(&mut || {
                let v = multiply_joined(kernel, xm, &factors, None, None).values;
                crate::spare::give(v);
            }),
            best(&mut || {
                let v = multiply_stacked(kernel, gm, &[wm.transposed()]);
                crate::spare::give(v);
            }),
            best(&mut || {
                for v in multiply_each(kernel, xm.transposed(), &[gm]) {
                    crate::spare::give(v);
                }
            }),
        ];
        all[0] += flop * 3.0;
        all[1] += t.iter().sum::<f64>();
        println!(
            "{rows:5} {depth:5} {columns:5}  forward {:4.0}  dx {:4.0}  dw {:4.0} GFLOP/s",
            flop / t[0] / 1e9,
            flop / t[1] / 1e9,
            flop / t[2] / 1e9
        );
    }
    println!("all {:.1}", all[0] / all[1] / 1e9);
}
