//! What a machine can do: work for a clock that the caller holds.

use std::hint::black_box;

use super::{Factor, Finish, Gemm, Product, Start};
use crate::lanes::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::learner::kernel::memory::{Floats, Matrix};

/// Width of a layer and rows of a batch, as in the paper.
const WIDTH: usize = 300;
const BATCH: usize = 128;

/// One hidden layer's three products: forward, gradient by its inputs, gradient by its weights.
pub struct Layer {
    weights: Floats,
    inputs: Matrix,
    outputs: Matrix,
    deltas: Matrix,
    gradient: Floats,
}

impl Layer {
    /// Floats from row to row of the weights.
    const STRIDE: usize = (1 + WIDTH).next_multiple_of(16);

    /// Floating-point operations of one [`Self::pass`].
    pub const OPERATIONS: f64 = 2.0 * (BATCH * WIDTH * (1 + WIDTH + WIDTH + 1 + WIDTH)) as f64;

    /// Some numbers of the size that a layer has.
    pub fn new() -> Self {
        let mut weights = Floats::zeros(WIDTH * Self::STRIDE);
        let mut inputs = Matrix::with_ones(WIDTH, BATCH);
        let number = |i: usize| ((i * 37) % 23) as f32 / 230.0 - 0.05;
        for (i, row) in weights.chunks_exact_mut(Self::STRIDE).enumerate() {
            row[..=WIDTH].iter_mut().enumerate().for_each(|(j, x)| *x = number(i * 5 + j));
        }
        for i in 0..WIDTH {
            inputs
                .row_mut(1 + i, BATCH)
                .iter_mut()
                .enumerate()
                .for_each(|(j, x)| *x = 10.0 * number(i * 3 + j));
        }
        Self {
            weights,
            inputs,
            outputs: Matrix::zeros(WIDTH, BATCH),
            deltas: Matrix::zeros(WIDTH, BATCH),
            gradient: Floats::zeros(WIDTH * Self::STRIDE),
        }
    }

    /// The three products once, each with what finishes it in a learner.
    pub fn pass(&mut self, gemm: Gemm) {
        let Self { weights, inputs, outputs, deltas, gradient } = self;
        let columns = |first: usize| Factor::new(&weights[first..], WIDTH, 1 + WIDTH - first, Self::STRIDE);
        let x = inputs.view(0..1 + WIDTH, BATCH);
        gemm.multiply(outputs.view_mut(0..WIDTH, BATCH), (columns(0), x), Start::Zero, Finish::Relu);
        let (by_outputs, gate) = (outputs.view(0..WIDTH, BATCH), inputs.view(1..1 + WIDTH, BATCH));
        let by_inputs = (columns(1).transposed(), by_outputs);
        gemm.multiply(deltas.view_mut(0..WIDTH, BATCH), by_inputs, Start::Zero, Finish::Gate(gate));
        let to = Product::new(gradient, WIDTH, 1 + WIDTH, Self::STRIDE);
        gemm.multiply(to, (by_outputs, x.transposed()), Start::Zero, Finish::Store);
    }
}

impl Default for Layer {
    fn default() -> Self {
        Self::new()
    }
}

/// Steps of [`multiply_adds`] that go round its registers once.
const STEPS: u64 = 1 << 12;

/// Fused multiply-adds in registers alone, with the widest vectors of this processor and as many sums as keep its units
/// busy: the ceiling of every product. Returns the floating-point operations done.
pub fn multiply_adds() -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        unsafe fn wide() -> f64 {
            // SAFETY: the instruction set is the function's
            unsafe { chains::<Avx512, 24>() }
        }
        #[target_feature(enable = "avx2,fma")]
        unsafe fn middle() -> f64 {
            // SAFETY: the instruction set is the function's
            unsafe { chains::<Avx2, 12>() }
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what `wide` is compiled for
            return unsafe { wide() };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what `middle` is compiled for
            return unsafe { middle() };
        }
    }
    // SAFETY: every processor has single numbers
    unsafe { chains::<f32, 16>() }
}

/// `N` chains of dependent multiply-adds beside each other.
///
/// # Safety
/// The processor has `V`.
#[inline(always)]
unsafe fn chains<V: Lanes, const N: usize>() -> f64 {
    // SAFETY: the caller's; the arrays have a vector's values
    unsafe {
        let (factor, term) = (V::splat(black_box(0.75)), V::splat(black_box(0.25)));
        let mut sums: [V; N] = std::array::from_fn(|i| V::splat(black_box(i as f32)));
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, term);
            }
        }
        let mut last = [0.0; 16];
        for sum in sums {
            sum.store(last.as_mut_ptr());
            black_box(&last);
        }
    }
    2.0 * (STEPS * (N * V::COUNT) as u64) as f64
}
