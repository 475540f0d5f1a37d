//! The one matrix product of the kernel learner, C = A B or C += A B, and what happens to C before it is stored.
//!
//! Several can compute it, behind one function: our own, and well-kept crates. Which is the fastest depends on the
//! processor (`virel-native bench` measures all of them on the shapes of a learner), never on the caller: all take any
//! shape. Our own alone gains from zeros, of which there are more as a run goes on than where it is measured. They add in
//! different orders, so the choice decides the last bits of a run; our own gives the same bits on every processor.

mod blocks;
pub mod calibration;
mod lists;
mod registers;
mod zeros;

use std::ops::Range;

use super::vector;
use crate::recipe::Named;

/// What computes a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gemm {
    /// Our own, in [`registers`].
    Own,
    /// Crate `gemm` with its AVX-512 kernels (feature `x86-v4`).
    Gemm,
    /// Crate `matrixmultiply`.
    MatrixMultiply,
}

impl Gemm {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|&(_, gemm)| gemm)
    }

    /// As it is called in configs and records.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, gemm)| *gemm == self).map_or("", |(name, _)| name)
    }

    /// C = A B, or C += A B, then what finishes it.
    pub fn multiply(
        self,
        c: Product<'_>,
        (a, b): (Factor<'_>, Factor<'_>),
        start: Start,
        finish: Finish<Factor<'_>>,
    ) {
        // shapes that do not fit are a defect of the caller in this folder
        assert!(c.rows == a.rows && c.columns == b.columns && a.columns == b.rows, "shapes of a product");
        if let Finish::Gate(gate) = finish {
            assert!(
                gate.rows == c.rows && gate.columns == c.columns && gate.column_stride == 1,
                "shape of a gate"
            );
        }
        match self {
            Self::Own => own(c, (a, b), start, finish),
            Self::Gemm => {
                let mut c = c;
                with_gemm(&mut c, (a, b), start);
                sweep(c, finish);
            }
            Self::MatrixMultiply => {
                let mut c = c;
                with_matrixmultiply(&mut c, (a, b), start);
                sweep(c, finish);
            }
        }
    }
}

impl Named for Gemm {
    const NAMES: &'static [(&'static str, Self)] =
        &[("own", Self::Own), ("gemm", Self::Gemm), ("matrixmultiply", Self::MatrixMultiply)];
}

/// What the sums start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// C = A B.
    Zero,
    /// C += A B.
    Present,
}

/// What happens to the sums before they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish<G> {
    /// Nothing.
    Store,
    /// max(x, 0).
    Relu,
    /// The derivative of [`Self::Relu`]: only those stay whose activation, an element of a matrix of C's shape, is
    /// positive.
    Gate(G),
}

/// A matrix to be read: any strides.
#[derive(Clone, Copy)]
pub struct Factor<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
    zeros: Zeros,
}

/// Where a factor may have many zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zeros {
    /// Nobody knows of any.
    Unknown,
    /// Anywhere.
    Scattered,
    /// In features that lie together.
    InFeatures,
}

impl<'a> Factor<'a> {
    /// `[rows, columns]`, row-major with `stride` floats from row to row.
    pub fn new(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let values = &values[..extent(rows, columns, stride)];
        Self { values, rows, columns, row_stride: stride, column_stride: 1, zeros: Zeros::Unknown }
    }

    /// The same memory with rows and columns exchanged.
    pub const fn transposed(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        Self { rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride, ..self }
    }

    /// The same, known to be what a ReLU or its gate left: [`Gemm::Own`] looks for zeros.
    pub const fn sparse(self) -> Self {
        Self { zeros: Zeros::Scattered, ..self }
    }

    /// The same, known to be observations, whose features are contiguous: [`Gemm::Own`], where they are its second factor, looks
    /// for features that are mostly zero, such as the contact forces of a robot's parts.
    pub const fn observations(self) -> Self {
        Self { zeros: Zeros::InFeatures, ..self }
    }

    /// Some of its rows.
    pub fn some_rows(self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows that a factor lacks");
        let values = &self.values[(rows.start * self.row_stride).min(self.values.len())..];
        Self { values, rows: rows.len(), ..self }
    }

    /// Its rows, which must be contiguous.
    pub fn by_row(self) -> impl Iterator<Item = &'a [f32]> {
        assert!(self.column_stride == 1, "rows of a factor are not contiguous");
        // the last row ends with its last column, all others with their stride
        self.values.chunks(self.row_stride.max(1)).map(move |row| &row[..self.columns])
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

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Parts of `rows` rows each, the last of what is left.
    pub fn by_rows(self, rows: usize) -> impl Iterator<Item = Self> {
        let Self { values, columns, stride, .. } = self;
        // the last row ends with its last column, all others with their stride
        values.chunks_mut(rows * stride).map(move |values| {
            let rows = values.len().div_ceil(stride);
            Self { values, rows, columns, stride }
        })
    }
}

/// Floats from the first element to the last.
const fn extent(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }
}

fn own(c: Product<'_>, (a, b): (Factor<'_>, Factor<'_>), start: Start, finish: Finish<Factor<'_>>) {
    let is_contiguous = |f: Factor<'_>| f.row_stride == 1 || f.column_stride == 1;
    assert!(is_contiguous(a) && is_contiguous(b), "neither rows nor columns of a factor are contiguous");
    let (finish, gate_stride) = match finish {
        Finish::Store => (Finish::Store, 0),
        Finish::Relu => (Finish::Relu, 0),
        Finish::Gate(gate) => (Finish::Gate(gate.values.as_ptr()), gate.row_stride),
    };
    let job = blocks::Job {
        rows: c.rows,
        columns: c.columns,
        inner: a.columns,
        a: a.values.as_ptr(),
        a_row_stride: a.row_stride,
        a_column_stride: a.column_stride,
        b: b.values.as_ptr(),
        b_row_stride: b.row_stride,
        b_column_stride: b.column_stride,
        c: c.values.as_mut_ptr(),
        c_stride: c.stride,
        start,
        finish,
        gate_stride,
    };
    let is_listed = |f: Factor<'_>| f.zeros == Zeros::Scattered && f.column_stride == 1;
    let sparse = if is_listed(a) {
        Some(zeros::Sparse::Rows)
    } else if is_listed(b) {
        Some(zeros::Sparse::Columns)
    } else {
        None
    };
    let has_features = b.zeros == Zeros::InFeatures;
    let known = (sparse.is_some() || has_features).then_some(zeros::Known { sparse, has_features });
    // SAFETY: `Factor::new` and `Product::new` cut their slices to the extent of their shape and strides, and
    // `transposed` keeps both, so every element that the shapes name lies in its slice; c is borrowed exclusively and
    // its rows do not overlap
    unsafe { registers::multiply(&job, known) }
}

fn with_gemm(c: &mut Product<'_>, (a, b): (Factor<'_>, Factor<'_>), start: Start) {
    let strides = |factor: Factor<'_>| (factor.column_stride as isize, factor.row_stride as isize);
    let ((a_column, a_row), (b_column, b_row)) = (strides(a), strides(b));
    // SAFETY: as in `own`
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

fn with_matrixmultiply(c: &mut Product<'_>, (a, b): (Factor<'_>, Factor<'_>), start: Start) {
    let strides = |factor: Factor<'_>| (factor.row_stride as isize, factor.column_stride as isize);
    let ((a_row, a_column), (b_row, b_column)) = (strides(a), strides(b));
    // SAFETY: as in `own`
    unsafe {
        matrixmultiply::sgemm(
            c.rows,
            a.columns,
            c.columns,
            1.0,
            a.values.as_ptr(),
            a_row,
            a_column,
            b.values.as_ptr(),
            b_row,
            b_column,
            if start == Start::Present { 1.0 } else { 0.0 },
            c.values.as_mut_ptr(),
            c.stride as isize,
            1,
        );
    }
}

/// What a product of a crate is finished with.
fn sweep(c: Product<'_>, finish: Finish<Factor<'_>>) {
    match finish {
        Finish::Store => {}
        Finish::Relu => vector::relu(c.values, c.stride, c.columns),
        Finish::Gate(gate) => vector::relu_gate(c.values, c.stride, gate.values, gate.row_stride, c.columns),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{Factor, Finish, Gemm, Product, Start};
    use crate::recipe::Named as _;

    fn values(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + seed * 11) % 23) as f32 - 11.0).collect()
    }

    /// Rows that end in blocks of 8, 6, 4, 2 and 1, and enough of them for panels; columns below, at and beyond vectors of
    /// 8 and 16.
    const SHAPES: [(usize, usize, usize); 12] = [
        (1, 1, 1),
        (3, 5, 2),
        (12, 17, 33),
        (37, 41, 19),
        (64, 16, 128),
        (26, 3, 40),
        (47, 9, 7),
        (1, 30, 130),
        (2, 12, 64),
        (70, 390, 70),
        (71, 400, 7),
        (101, 170, 48),
    ];

    /// Small whole numbers: every sum is exact in f32, whatever its order.
    #[test]
    fn products_are_exact_for_every_layout_and_finish() {
        for (gemm, (rows, inner, columns)) in Gemm::all().flat_map(|g| SHAPES.map(|shape| (g, shape))) {
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
            let mut multiply = |start, finish| {
                gemm.multiply(Product::new(&mut got, rows, columns, columns), (left, right), start, finish);
                got.clone()
            };
            assert_eq!(multiply(Start::Zero, Finish::Store), expected);
            let twice: Vec<f32> = expected.iter().map(|x| 2.0 * x).collect();
            assert_eq!(multiply(Start::Present, Finish::Store), twice);
            let positive: Vec<f32> = expected.iter().map(|x| x.max(0.0)).collect();
            assert_eq!(multiply(Start::Zero, Finish::Relu), positive);
            let gate = values(rows * (columns + 1), 3);
            let kept = |i: usize| gate[i / columns * (columns + 1) + i % columns] > 0.0;
            let gated: Vec<f32> =
                expected.iter().enumerate().map(|(i, &x)| if kept(i) { x } else { 0.0 }).collect();
            let of_gate = Factor::new(&gate, rows, columns, columns + 1);
            assert_eq!(multiply(Start::Zero, Finish::Gate(of_gate)), gated);

            // (A B)ᵀ = Bᵀ Aᵀ, as the gradient of a weight is computed
            let mut turned = vec![f32::NAN; columns * rows];
            let c = Product::new(&mut turned, columns, rows, rows);
            let factors = (right.transposed(), left.transposed());
            gemm.multiply(c, factors, Start::Zero, Finish::Store);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(turned[j * rows + i], expected[i * columns + j]);
                }
            }
        }
    }

    /// Observations of 127 features, of which some are mostly zero, as a robot's contact forces are, row by row in features.
    fn observations(samples: usize, thin: &Range<usize>) -> Vec<f32> {
        let value = |feature: usize, sample: usize| match (feature * 31 + sample * 17) % 29 {
            1.. if thin.contains(&feature) => 0.0,
            _ => ((feature * 7919 + sample * 104_729) % 1009) as f32 / 377.0 - 1.3,
        };
        (0..127 * samples).map(|i| value(i / samples, i % samples)).collect()
    }

    #[test]
    fn features_that_are_mostly_zero_leave_the_bits_alone() {
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let shapes = [(300, 128), (108, 40), (13, 64), (60, 33), (100, 31), (156, 400)];
        for ((outputs, samples), thin) in
            shapes.into_iter().flat_map(|shape| [0..70, 40..110, 57..127, 0..127].map(|thin| (shape, thin)))
        {
            let x = observations(samples, &thin);
            let weights: Vec<f32> = values(outputs * 127, 4).iter().map(|x| x / 7.0).collect();
            let deltas: Vec<f32> = values(outputs * samples, 5).iter().map(|x| (x / 3.0).max(0.0)).collect();
            let x = Factor::new(&x, 127, samples, samples);
            let weights = Factor::new(&weights, outputs, 127, 127);
            let deltas = Factor::new(&deltas, outputs, samples, samples);
            let gate = values(outputs * samples, 3);
            let gate = Factor::new(&gate, outputs, samples, samples);
            for start in [Start::Zero, Start::Present] {
                for finish in [Finish::Store, Finish::Relu, Finish::Gate(gate)] {
                    let forward = |x| {
                        let mut c = values(outputs * samples, 8);
                        let to = Product::new(&mut c, outputs, samples, samples);
                        Gemm::Own.multiply(to, (weights, x), start, finish);
                        bits(c)
                    };
                    assert_eq!(forward(x.observations()), forward(x));
                }
                for deltas in [deltas, deltas.sparse()] {
                    let gradient = |x: Factor<'_>| {
                        let mut c = values(outputs * 127, 8);
                        let to = Product::new(&mut c, outputs, 127, 127);
                        Gemm::Own.multiply(to, (deltas, x.transposed()), start, Finish::Store);
                        bits(c)
                    };
                    assert_eq!(gradient(x.observations()), gradient(x));
                }
            }
        }
    }

    #[test]
    fn what_lies_between_rows_is_left_alone() {
        for (gemm, (rows, inner, columns)) in Gemm::all().flat_map(|g| [(g, (3, 2, 4)), (g, (70, 400, 37))]) {
            let (a, b, stride) = (values(rows * inner, 1), values(inner * columns, 2), columns + 2);
            let mut got = vec![7.0; rows * stride];
            let factors = (Factor::new(&a, rows, inner, inner), Factor::new(&b, inner, columns, columns));
            gemm.multiply(Product::new(&mut got, rows, columns, stride), factors, Start::Zero, Finish::Relu);
            assert!(got.chunks(stride).all(|row| row[columns..] == [7.0, 7.0]));
        }
    }

    #[test]
    fn a_value_that_is_not_a_number_passes_every_relu() {
        for gemm in Gemm::all() {
            for columns in [1, 16, 35] {
                let mut got = vec![0.0; columns];
                let b = vec![1.0; columns];
                let factors = (Factor::new(&[f32::NAN], 1, 1, 1), Factor::new(&b, 1, columns, columns));
                let c = Product::new(&mut got, 1, columns, columns);
                gemm.multiply(c, factors, Start::Zero, Finish::Relu);
                assert!(got.iter().all(|x| x.is_nan()), "{} {columns}", gemm.name());
            }
        }
    }

    #[test]
    #[should_panic(expected = "shapes of a product")]
    fn shapes_that_do_not_fit_are_refused() {
        let factors = (Factor::new(&[0.0; 6], 2, 3, 3), Factor::new(&[0.0; 4], 2, 2, 2));
        Gemm::Own.multiply(Product::new(&mut [0.0; 4], 2, 2, 2), factors, Start::Zero, Finish::Store);
    }

    #[test]
    fn names_find_their_products() {
        for gemm in Gemm::all() {
            assert_eq!(Gemm::named("gemm", gemm.name()), Ok(gemm));
        }
        assert_eq!(Gemm::named("gemm", "cublas").unwrap_err().code(), "CONFIG_RANGE");
    }
}
