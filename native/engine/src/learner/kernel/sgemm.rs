//! The one matrix product of the kernel learner: C = A B, or C += A B.
//!
//! Crate `gemm` 0.19 with its AVX-512 kernels (feature `x86-v4`), one thread. On one core of an AMD EPYC (Zen 5),
//! 300 x 301 x 128, best of 9 blocks: 211 GFLOP/s; libtorch's MKL `sgemm_` 90, since MKL takes its slow path on
//! processors that are not Intel's; a hand-written AVX-512 kernel on the same layout 214. It picks AVX-512, AVX2
//! or portable kernels when it runs, and needs no library.
//! A weight gradient of 300 x 301 with both operands feature-major costs it 116 us, with one of them batch-major
//! 113 us and the transpose before it 13 us: so nothing is transposed here.

/// A matrix to be read: any strides.
#[derive(Clone, Copy)]
pub struct Factor<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Factor<'a> {
    /// `[rows, columns]`, row-major with `stride` floats from row to row.
    pub fn new(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let values = &values[..extent(rows, columns, stride)];
        Self { values, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// The same memory with rows and columns exchanged.
    pub const fn transposed(self) -> Self {
        let Self { values, rows, columns, row_stride, column_stride } = self;
        Self { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub const fn columns(&self) -> usize {
        self.columns
    }
}

/// A matrix to be written, row-major.
pub struct Product<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> Product<'a> {
    /// `[rows, columns]` with `stride` floats from row to row.
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(columns <= stride, "rows of a product overlap");
        let values = &mut values[..extent(rows, columns, stride)];
        Self { values, rows, columns, stride }
    }

    /// C = A B.
    pub fn set(self, a: Factor<'_>, b: Factor<'_>) {
        multiply(self, a, b, Start::Zero);
    }

    /// C += A B.
    pub fn add(self, a: Factor<'_>, b: Factor<'_>) {
        multiply(self, a, b, Start::Present);
    }
}

/// Floats from the first element to the last.
const fn extent(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }
}

/// What the sums start from.
#[derive(PartialEq, Eq)]
enum Start {
    Zero,
    Present,
}

fn multiply(c: Product<'_>, a: Factor<'_>, b: Factor<'_>, start: Start) {
    // shapes that do not fit are a defect of the caller in this folder
    assert!(c.rows == a.rows && c.columns == b.columns && a.columns == b.rows, "shapes of a product");
    let strides = |factor: Factor<'_>| (factor.column_stride as isize, factor.row_stride as isize);
    let ((a_column, a_row), (b_column, b_row)) = (strides(a), strides(b));
    // SAFETY: `Factor::new` and `Product::new` cut their slices to the extent of their shape and strides, and
    // `transposed` keeps both, so every element that the three shapes name lies in its slice; c is borrowed
    // exclusively and its rows do not overlap.
    unsafe {
        gemm::gemm(
            c.rows,
            c.columns,
            a.columns,
            c.values.as_mut_ptr(),
            1,
            c.stride as isize,
            start == Start::Present,
            a.values.as_ptr(),
            a_column,
            a_row,
            b.values.as_ptr(),
            b_column,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Factor, Product};

    fn values(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + seed * 11) % 23) as f32 - 11.0).collect()
    }

    /// Small whole numbers: every sum is exact in f32, whatever its order.
    #[test]
    fn products_are_exact_for_every_layout() {
        for (rows, inner, columns) in [(1, 1, 1), (3, 5, 2), (12, 17, 33), (37, 41, 19), (64, 16, 128)] {
            let (a, b) = (values(rows * (inner + 3), 1), values(inner * (columns + 2), 2));
            let (left, right) =
                (Factor::new(&a, rows, inner, inner + 3), Factor::new(&b, inner, columns, columns + 2));
            let mut expected = vec![0.0; rows * columns];
            for i in 0..rows {
                for j in 0..columns {
                    expected[i * columns + j] =
                        (0..inner).map(|k| a[i * (inner + 3) + k] * b[k * (columns + 2) + j]).sum();
                }
            }
            let mut got = vec![f32::NAN; rows * columns];
            Product::new(&mut got, rows, columns, columns).set(left, right);
            assert_eq!(got, expected);
            Product::new(&mut got, rows, columns, columns).add(left, right);
            assert!(got.iter().zip(&expected).all(|(got, once)| *got == 2.0 * once));

            // (A B)ᵀ = Bᵀ Aᵀ
            let mut turned = vec![f32::NAN; columns * rows];
            Product::new(&mut turned, columns, rows, rows).set(right.transposed(), left.transposed());
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(turned[j * rows + i], expected[i * columns + j]);
                }
            }
        }
    }

    #[test]
    fn what_lies_between_rows_is_left_alone() {
        let (a, b) = (values(6, 1), values(8, 2));
        let mut got = vec![7.0; 3 * 6];
        Product::new(&mut got, 3, 4, 6).set(Factor::new(&a, 3, 2, 2), Factor::new(&b, 2, 4, 4));
        assert!(got.chunks(6).all(|row| row[4..] == [7.0, 7.0]));
    }

    #[test]
    #[should_panic(expected = "shapes of a product")]
    fn shapes_that_do_not_fit_are_refused() {
        Product::new(&mut [0.0; 4], 2, 2, 2)
            .set(Factor::new(&[0.0; 6], 2, 3, 3), Factor::new(&[0.0; 4], 2, 2, 2));
    }
}
