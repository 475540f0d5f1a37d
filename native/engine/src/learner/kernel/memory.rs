//! Preallocated float32 memory: flat vectors on cache lines and feature-major matrices.

use std::ops::{Deref, DerefMut, Range};

use super::sgemm::{Factor, Product};
use super::transpose::transpose;
use crate::lanes::LINE;

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Zero-initialised floats that start on a cache line.
pub struct Floats {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Floats {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let memory = vec![0.0; len + LINE - 1];
        // never moved from here on: neither grown nor cloned
        let start = memory.as_ptr().align_offset(LINE_BYTES).min(LINE - 1);
        Self { memory, start, len }
    }
}

impl Deref for Floats {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

/// Feature-major matrix: row = feature, column = sample, so that samples are what a vector register holds.
/// It has room for `capacity` samples; every view names how many are in use.
pub struct Matrix {
    values: Floats,
    stride: usize,
}

impl Matrix {
    /// All zeros.
    pub fn zeros(rows: usize, capacity: usize) -> Self {
        // an odd number of lines a row: neighbouring rows do not compete for one set of the cache
        let stride = (capacity.div_ceil(LINE) | 1) * LINE;
        Self { values: Floats::zeros(rows * stride), stride }
    }

    /// Zeros below a first row of ones, which the layers' biases are multiplied with.
    pub fn with_ones(rows: usize, capacity: usize) -> Self {
        let mut matrix = Self::zeros(1 + rows, capacity);
        matrix.row_mut(0, capacity).fill(1.0);
        matrix
    }

    /// Samples `0..n` of one feature.
    pub fn row(&self, row: usize, n: usize) -> &[f32] {
        &self.values[row * self.stride..][..n]
    }

    /// As [`Self::row`].
    pub fn row_mut(&mut self, row: usize, n: usize) -> &mut [f32] {
        &mut self.values[row * self.stride..][..n]
    }

    /// Two different rows, `first` below `second`, to be written together.
    pub fn two_rows_mut(&mut self, first: usize, second: usize, n: usize) -> (&mut [f32], &mut [f32]) {
        let (low, high) = self.values.split_at_mut(second * self.stride);
        (&mut low[first * self.stride..][..n], &mut high[..n])
    }

    /// Samples `0..n` of some features, as a factor `[rows, n]`.
    pub fn view(&self, rows: Range<usize>, n: usize) -> Factor<'_> {
        Factor::new(&self.values[rows.start * self.stride..], rows.len(), n, self.stride)
    }

    /// The same to be written, `[rows, n]`.
    pub fn view_mut(&mut self, rows: Range<usize>, n: usize) -> Product<'_> {
        Product::new(&mut self.values[rows.start * self.stride..], rows.len(), n, self.stride)
    }

    /// Copies a factor `[rows, n]` to the features from `row` on.
    pub fn copy(&mut self, row: usize, from: Factor<'_>) {
        for (index, values) in from.by_row().enumerate() {
            self.row_mut(row + index, values.len()).copy_from_slice(values);
        }
    }

    /// Copies some samples of another matrix of this shape.
    pub fn gather(&mut self, from: &Self, samples: &[usize]) {
        let rows = self.values.chunks_exact_mut(self.stride).zip(from.values.chunks_exact(from.stride));
        for (to, from) in rows {
            to.iter_mut().zip(samples).for_each(|(to, &sample)| *to = from[sample]);
        }
    }

    /// Copies samples `0..n` of some features onto every following run of n samples, up to `samples`.
    pub fn repeat(&mut self, rows: Range<usize>, n: usize, samples: usize) {
        if n == samples {
            return;
        }
        for row in rows {
            let values = self.row_mut(row, samples);
            for start in (n..samples).step_by(n) {
                values.copy_within(0..n, start);
            }
        }
    }

    /// Fills samples from `first` on of features `0..width` with one draw of each row of `noise`, `[n, draws, width]`.
    pub fn load_draw(&mut self, first: usize, noise: &[f32], draw: usize, draws: usize, width: usize) {
        for (sample, row) in noise.chunks_exact(draws * width).enumerate() {
            for (feature, &value) in row[draw * width..(draw + 1) * width].iter().enumerate() {
                self.values[feature * self.stride + first + sample] = value;
            }
        }
    }

    /// Fills features from `row` on with the transpose of sample-major `samples`, `[n, width]`.
    pub fn load(&mut self, row: usize, samples: &[f32], width: usize) {
        transpose((&mut self.values[row * self.stride..], self.stride), (samples, width));
    }
}

#[cfg(test)]
mod tests {
    use super::{Floats, LINE_BYTES, Matrix};

    #[test]
    fn floats_start_on_a_cache_line() {
        for len in [1, 15, 16, 1000] {
            let floats = Floats::zeros(len);
            assert_eq!(floats.as_ptr() as usize % LINE_BYTES, 0);
            assert_eq!(floats.len(), len);
        }
    }

    #[test]
    fn runs_of_samples_are_repeated_and_draws_find_their_columns() {
        let mut matrix = Matrix::zeros(2, 6);
        matrix.row_mut(1, 6).copy_from_slice(&[1.0, 2.0, 0.0, 0.0, 0.0, 9.0]);
        matrix.repeat(1..2, 2, 6);
        assert_eq!(matrix.row(1, 6), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
        assert_eq!(matrix.row(0, 6), [0.0; 6]);

        // two samples of three draws of width 2; the last draw goes to columns 4 and 5
        let noise: Vec<f32> = (0..12).map(|x| x as f32).collect();
        let mut matrix = Matrix::zeros(2, 6);
        matrix.load_draw(4, &noise, 2, 3, 2);
        assert_eq!(matrix.row(0, 6), [0.0, 0.0, 0.0, 0.0, 4.0, 10.0]);
        assert_eq!(matrix.row(1, 6), [0.0, 0.0, 0.0, 0.0, 5.0, 11.0]);
    }

    #[test]
    fn features_are_copied_to_their_rows_and_samples_gathered_in_their_order() {
        let mut from = Matrix::zeros(2, 3);
        from.row_mut(0, 3).copy_from_slice(&[1.0, 2.0, 3.0]);
        from.row_mut(1, 3).copy_from_slice(&[4.0, 5.0, 6.0]);
        let mut to = Matrix::zeros(3, 3);
        to.copy(1, from.view(0..2, 3));
        assert_eq!([to.row(0, 3), to.row(1, 3), to.row(2, 3)], [[0.0; 3], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);

        let mut some = Matrix::zeros(2, 3);
        some.gather(&from, &[2, 0]);
        assert_eq!([some.row(0, 2), some.row(1, 2)], [[3.0, 1.0], [6.0, 4.0]]);
        some.gather(&from, &[]);
        assert_eq!(some.row(0, 2), [3.0, 1.0]);
    }

    #[test]
    fn load_transposes_and_leaves_other_rows() {
        for (n, width) in [(1, 1), (7, 5), (16, 16), (33, 17), (40, 35)] {
            let samples: Vec<f32> = (0..n * width).map(|x| x as f32 + 1.0).collect();
            let mut matrix = Matrix::with_ones(width + 1, n);
            matrix.load(1, &samples, width);
            for feature in 0..width {
                let expected: Vec<f32> = samples[feature..].iter().step_by(width).copied().collect();
                assert_eq!(matrix.row(1 + feature, n), expected);
            }
            assert_eq!(matrix.row(0, n), vec![1.0; n]);
            assert_eq!(matrix.row(width + 1, n), vec![0.0; n]);
        }
    }
}
