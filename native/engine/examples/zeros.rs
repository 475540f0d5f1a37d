//! Microseconds of a layer's products, 300 x 301 on 128 samples, by how much of a factor is not zero: by blocks, and as
//! products choose when they are told that there may be zeros. Columns: the outputs, whose second factor has zeros; rows: the
//! gradient by the weights, whose first has.
//! `cargo run --release --target host-tuple -p virel-engine --example zeros`.

use std::time::Instant;

use virel_engine::learner::kernel::sgemm::{Factor, Finish, Gemm, Product, Start};
use virel_engine::random::{Purpose, Stream};

const WIDTH: usize = 300;
const INPUTS: usize = 1 + WIDTH;
const STRIDE: usize = 304;
const BATCH: usize = 128;
/// Products of which the fastest counts, so that one counts that nothing else disturbed.
const ROUNDS: usize = 500;

fn main() {
    let mut stream = Stream::new(1, Purpose::Initialise, 0);
    let mut normal = |len: usize| {
        let mut values = vec![0.0; len];
        stream.fill_normal(&mut values);
        values
    };
    let (weights, values) = (normal(WIDTH * STRIDE), normal(INPUTS * BATCH));
    let mut stream = Stream::new(1, Purpose::ReplayIndex, 0);
    let uniform: Vec<f64> = (0..INPUTS * BATCH).map(|_| stream.uniform()).collect();
    println!("not zero   columns: blocks, chosen   rows: blocks, chosen");
    for share in [0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2] {
        let thin: Vec<f32> =
            values.iter().zip(&uniform).map(|(&x, &u)| if u < share { x } else { 0.0 }).collect();
        let [columns, sparse_columns] = [false, true].map(|known| outputs(&weights, &thin, known));
        let [rows, sparse_rows] = [false, true].map(|known| gradient(&thin, &values, known));
        println!("{share:.2} {columns:25.1} {sparse_columns:7.1} {rows:14.1} {sparse_rows:7.1}");
    }
}

/// max(W x, 0).
fn outputs(weights: &[f32], x: &[f32], known: bool) -> f64 {
    let factors = (Factor::new(weights, WIDTH, INPUTS, STRIDE), factor(x, INPUTS, known));
    let mut to = vec![0.0; WIDTH * BATCH];
    fastest(|| {
        let to = Product::new(&mut to, WIDTH, BATCH, BATCH);
        Gemm::Own.multiply(to, factors, Start::Zero, Finish::Relu);
    })
}

/// ∂J/∂W = (∂J/∂y) xᵀ.
fn gradient(by_outputs: &[f32], x: &[f32], known: bool) -> f64 {
    let factors = (factor(by_outputs, WIDTH, known), factor(x, INPUTS, false).transposed());
    let mut to = vec![0.0; WIDTH * STRIDE];
    fastest(|| {
        let to = Product::new(&mut to, WIDTH, INPUTS, STRIDE);
        Gemm::Own.multiply(to, factors, Start::Zero, Finish::Store);
    })
}

/// Some features of a batch.
fn factor(values: &[f32], features: usize, known: bool) -> Factor<'_> {
    let factor = Factor::new(values, features, BATCH, BATCH);
    if known { factor.sparse() } else { factor }
}

/// Microseconds of the fastest round.
fn fastest(mut product: impl FnMut()) -> f64 {
    let round = |_| {
        let since = Instant::now();
        product();
        since.elapsed().as_secs_f64() * 1e6
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
