use ndarray::{Array1, Array2, Axis, array};

fn by_hand(n: usize) -> f64 {
    let a: Vec<f64> = (0..n * n).map(|k| (k % 7) as f64).collect();
    let b: Vec<f64> = (0..n * n).map(|k| (k % 5) as f64 - 2.0).collect();
    let mut c = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..n {
            let factor = a[i * n + k];
            for j in 0..n {
                c[i * n + j] += factor * b[k * n + j];
            }
        }
    }
    (0..n).map(|i| c[i * n + i]).sum()
}

fn by_library(n: usize) -> f64 {
    let a = Array2::from_shape_fn((n, n), |(i, j)| ((i * n + j) % 7) as f64);
    let b = Array2::from_shape_fn((n, n), |(i, j)| ((i * n + j) % 5) as f64 - 2.0);
    a.dot(&b).diag().sum()
}

fn main() {
    println!("trace {} {}", by_hand(400), by_library(400));
    let fibonacci = array![[1u64, 1], [1, 0]];
    let power = (0..59).fold(Array2::<u64>::eye(2), |product, _| product.dot(&fibonacci));
    println!("{power}");
    let table = Array2::from_shape_vec((2, 3), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    println!("{} {}", table.sum_axis(Axis(0)), table.mean_axis(Axis(1)).unwrap());
    println!("{}", (&table * 2.0 - Array1::<f64>::ones(3)).mapv(|x: f64| x.powi(2)));
}
