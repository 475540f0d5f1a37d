//! Our own product where one factor has many zeros: what a ReLU or its gate left, the more of them the further a network has
//! learned, and observations with features that are mostly zero.
//!
//! Each row of that factor becomes a list of the places that are not zero. A row of the product is then the sum of the
//! other factor's rows at these places, each times its value: the sums stay in registers, and a panel of the other factor,
//! as wide as they are, in the first-level cache. A multiply-add costs a load of its own, where a [block](super::blocks)
//! shares one among several, and a list ends where no processor foresees it: some [third](super::zeros) of all values has to be
//! zero for it to win.
//!
//! What is left out would add 0 to a sum, as long as the other factor is finite, and the others keep their order: the bits
//! are those of [`registers`](super::registers), but for the sign of a zero that a sum underflowed to. What is not finite
//! may be left out here that blocks would pass on: a run that has it has diverged, and is told so by what does pass.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::blocks::{DEPTH, Job};
use super::zeros::{Known, Sparse, is_thin, thin_features};
use super::{Finish, Start};
use crate::lanes::{LINE, Lanes, Task, first_level_bytes};
use crate::learner::kernel::transpose::tiles;

/// Fewest vectors of a panel's row: fewer sums do not keep the units busy.
const FEWEST: usize = 6;

/// How large panels may be: nearly all of a first-level cache. The wider they are, the fewer values are looked up in lists and
/// the fewer lists end.
#[derive(Debug, Clone, Copy)]
pub struct Widest {
    /// Floats of a row.
    row: usize,
    /// Floats of all rows.
    panel: usize,
}

impl Widest {
    /// In the smallest first-level caches, 32 KB.
    pub const SMALL: Self = Self { row: 128, panel: 31 * 256 };
    /// In 48 KB and more.
    pub const LARGE: Self = Self { row: 160, panel: 40 * 256 };

    /// On this processor.
    pub fn here() -> Self {
        if first_level_bytes() < 48 << 10 { Self::SMALL } else { Self::LARGE }
    }

    /// Rows that there is room for whatever their width.
    const fn rows(&self) -> usize {
        self.panel / self.row
    }

    /// Vectors of a row: their sums leave registers for a value and what is multiplied with it.
    const fn vectors<V: Lanes>(&self) -> usize {
        let (room, sums) = (self.row / V::COUNT, V::REGISTERS - 3);
        if room < sums { room } else { sums }
    }
}

/// Most rows that are listed together, and fewest that are worth it.
const ROWS: usize = 128;
const FEW_ROWS: usize = 32;

/// Most inner indices of one list: the bits of a word.
const PLACES: usize = u64::BITS as usize;

/// Most lists: the panel with the fewest rows has the most parts.
const LISTS: usize = ROWS * DEPTH.div_ceil(Widest::SMALL.rows());

/// What one product works in.
#[repr(align(64))]
struct Memory {
    panel: [MaybeUninit<f32>; Widest::LARGE.panel],
    turned: [MaybeUninit<f32>; ROWS * (DEPTH + LINE)],
    sums: [MaybeUninit<f32>; ROWS * Widest::LARGE.row],
    places: [MaybeUninit<u64>; LISTS],
}

/// The product by lists, on panels that are the `widest`, where lists are faster than `dense` blocks and can finish the sums; of a
/// product with features that are mostly zero, the part of these.
///
/// # Safety
/// As [`super::registers::multiply`]; the processor has `V`; the rows of a sparse A are contiguous, and so are the features
/// of a B that has some.
pub unsafe fn multiply<V: Lanes>(job: &Job, known: Known, widest: Widest, dense: unsafe fn(&Job)) {
    // SAFETY: the caller's
    let others = |job: &Job| unsafe {
        match known.sparse {
            Some(sparse) if can_list::<V>(job, sparse, widest) && is_thin(job, sparse) => {
                list::<V>(job, sparse, widest);
            }
            _ => dense(job),
        }
    };
    let thin = if known.has_features && can_list::<V>(job, Sparse::Columns, widest) {
        // SAFETY: the caller's
        unsafe { thin_features(job) }
    } else {
        0..0
    };
    if thin.is_empty() {
        return others(job);
    }
    // features are inner indices, which keep their order, or, where B is turned over, columns
    let is_turned = job.b_column_stride != 1;
    let part = |features: Range<usize>| if is_turned { job.columns(features) } else { job.part(features) };
    let all = if is_turned { job.columns } else { job.inner };
    if thin.start > 0 {
        others(&part(0..thin.start));
    }
    // SAFETY: the caller's; these are some of the product's columns or inner indices
    unsafe { list::<V>(&part(thin.clone()), Sparse::Columns, widest) };
    if thin.end < all {
        others(&part(thin.end..all));
    }
}

/// Whether sums are long enough, and rows to list many enough, for lists to win where there are zeros; and whether lists can
/// finish the sums.
fn can_list<V: Lanes>(job: &Job, sparse: Sparse, widest: Widest) -> bool {
    let (rows, columns) = match sparse {
        Sparse::Rows => (job.rows, job.columns),
        Sparse::Columns => (job.columns, job.rows),
    };
    let is_large =
        job.inner > 0 && rows >= FEW_ROWS && Panels::of::<V>(columns, widest).narrowest() >= FEWEST;
    is_large && (sparse == Sparse::Columns || matches!(job.finish, Finish::Store))
}

/// The product by lists.
///
/// # Safety
/// As [`multiply`]; sums are long enough for the panels of [`can_list`].
unsafe fn list<V: Lanes>(job: &Job, sparse: Sparse, widest: Widest) {
    // SAFETY: the caller's
    unsafe { V::apart(Listed::<V> { job, sparse, widest, lanes: PhantomData }) }
}

/// A product by lists.
struct Listed<'a, V> {
    job: &'a Job,
    sparse: Sparse,
    widest: Widest,
    lanes: PhantomData<V>,
}

impl<V: Lanes> Task for Listed<'_, V> {
    #[inline(always)]
    unsafe fn run(self) {
        let Self { job, sparse, widest, .. } = self;
        let mut memory = MaybeUninit::<Memory>::uninit();
        let memory = memory.as_mut_ptr();
        let depth = job.inner.div_ceil(job.inner.div_ceil(DEPTH));
        for first in (0..job.inner).step_by(depth) {
            let part = job.part(first..job.inner.min(first + depth));
            let all = match sparse {
                Sparse::Rows => part.rows,
                Sparse::Columns => part.columns,
            };
            for first in (0..all).step_by(ROWS) {
                let some = first..all.min(first + ROWS);
                // SAFETY: the caller's; the memory has room for so many rows and inner indices
                unsafe {
                    match sparse {
                        Sparse::Rows => by_rows::<V>(&part.rows(some), widest, memory),
                        Sparse::Columns => by_columns::<V>(&part.columns(some), widest, memory),
                    }
                }
            }
        }
    }
}

/// Lists of the rows of A.
///
/// # Safety
/// As [`multiply`]; the memory has room.
#[inline(always)]
unsafe fn by_rows<V: Lanes>(job: &Job, widest: Widest, memory: *mut Memory) {
    let panels = Panels::of::<V>(job.columns, widest);
    // SAFETY: the caller's
    unsafe {
        let lists = Lists::of::<V>((job.a, job.a_row_stride), (job.rows, job.inner), panels.depth(), memory);
        for columns in panels.all() {
            let to = Sums { values: job.c.add(columns.start), stride: job.c_stride, room: columns.len() };
            lists.sum::<V>(&job.columns(columns), &to, memory);
        }
    }
}

/// Lists of the columns of B: where its rows are contiguous they are turned over first, and what comes of them last.
///
/// # Safety
/// As [`multiply`]; the memory has room.
#[inline(always)]
unsafe fn by_columns<V: Lanes>(job: &Job, widest: Widest, memory: *mut Memory) {
    let panels = Panels::of::<V>(job.rows, widest);
    // SAFETY: the caller's
    unsafe {
        let columns = if job.b_column_stride == 1 {
            let stride = (job.inner.div_ceil(LINE) | 1) * LINE;
            let turned = (&raw mut (*memory).turned).cast::<f32>();
            tiles::<V>((job.b, job.b_row_stride), (turned, stride), (job.inner, job.columns));
            (turned.cast_const(), stride)
        } else {
            (job.b, job.b_column_stride)
        };
        let lists = Lists::of::<V>(columns, (job.columns, job.inner), panels.depth(), memory);
        for rows in panels.all() {
            // Cᵀ = Bᵀ Aᵀ
            let job = job.rows(rows);
            let product = Job {
                rows: job.columns,
                columns: job.rows,
                b: job.a,
                b_row_stride: job.a_column_stride,
                b_column_stride: job.a_row_stride,
                ..job
            };
            let room = job.rows.next_multiple_of(V::COUNT);
            let sums = Sums { values: (&raw mut (*memory).sums).cast(), stride: room, room };
            if job.start == Start::Present {
                tiles::<V>((job.c, job.c_stride), (sums.values, sums.stride), (job.rows, job.columns));
            }
            lists.sum::<V>(&product, &sums, memory);
            sums.put::<V>(&job);
        }
    }
}

/// The columns of a product whose sums are formed together, a panel of the other factor for each: as few panels as
/// registers allow, and as equal.
struct Panels {
    columns: usize,
    /// Vectors of a row of all, and values of one.
    vectors: usize,
    vector: usize,
    count: usize,
    widest: Widest,
}

impl Panels {
    #[inline(always)]
    const fn of<V: Lanes>(columns: usize, widest: Widest) -> Self {
        let vectors = columns.div_ceil(V::COUNT);
        Self { columns, vectors, vector: V::COUNT, count: vectors.div_ceil(widest.vectors::<V>()), widest }
    }

    /// Vectors of a row of the narrowest.
    const fn narrowest(&self) -> usize {
        match self.vectors.checked_div(self.count) {
            Some(vectors) => vectors,
            None => 0,
        }
    }

    /// Most rows of a panel.
    #[inline(always)]
    const fn depth(&self) -> usize {
        let depth = self.widest.panel / (self.vectors.div_ceil(self.count) * self.vector);
        if depth < PLACES { depth } else { PLACES }
    }

    /// The columns of each.
    #[inline(always)]
    fn all(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Self { columns, vectors, vector, count, .. } = *self;
        let first = move |panel: usize| (panel * vectors / count * vector).min(columns);
        (0..count).map(move |panel| first(panel)..first(panel + 1))
    }
}

/// The places of a factor's values that are not zero, row by row, in parts of its inner index.
struct Lists {
    values: *const f32,
    stride: usize,
    rows: usize,
    inner: usize,
    /// Inner indices of a part.
    depth: usize,
    /// Of each part and row, a bit for each inner index, the first lowest. An address that follows from a word by arithmetic is
    /// there in time; one that each place's own load gives slows the loads of the panel down by a quarter.
    places: *mut u64,
}

impl Lists {
    /// Of `rows` rows of `inner` values, `stride` apart, in parts of at most `most` inner indices.
    ///
    /// # Safety
    /// The processor has `V`; the values are there; the memory has room.
    #[inline(always)]
    unsafe fn of<V: Lanes>(
        (values, stride): (*const f32, usize),
        (rows, inner): (usize, usize),
        most: usize,
        memory: *mut Memory,
    ) -> Self {
        // parts that begin with a line, as the rows do: no load meets two
        let depth = inner.div_ceil(inner.div_ceil(most)).next_multiple_of(LINE).min(most);
        // SAFETY: a field of what the caller owns
        let places = unsafe { (&raw mut (*memory).places).cast() };
        let lists = Self { values, stride, rows, inner, depth, places };
        debug_assert!(depth <= PLACES && lists.parts() * rows <= LISTS, "room for lists");
        // SAFETY: the caller's
        unsafe {
            for part in 0..lists.parts() {
                for row in 0..rows {
                    lists.list::<V>(part, row);
                }
            }
        }
        lists
    }

    #[inline(always)]
    const fn parts(&self) -> usize {
        self.inner.div_ceil(self.depth)
    }

    /// The inner indices of a part.
    #[inline(always)]
    fn indices(&self, part: usize) -> Range<usize> {
        part * self.depth..self.inner.min((part + 1) * self.depth)
    }

    /// Lists one part of a row.
    ///
    /// # Safety
    /// As [`Self::of`].
    #[inline(always)]
    unsafe fn list<V: Lanes>(&self, part: usize, row: usize) {
        let indices = self.indices(part);
        let len = indices.len();
        // SAFETY: the caller's
        unsafe {
            let values = self.values.add(row * self.stride + indices.start);
            let mut places = 0;
            for place in (0..len).step_by(V::COUNT) {
                let bits = V::load_most(values.add(place), len - place).not_zero();
                places |= u64::from(bits) << place;
            }
            *self.places.add(part * self.rows + row) = places;
        }
    }

    /// Adds up rows of B, or of its part, for every row of A's lists.
    ///
    /// # Safety
    /// The processor has `V`; `job` has the rows and inner indices of the lists, `to` room for its columns.
    #[inline(always)]
    unsafe fn sum<V: Lanes>(&self, job: &Job, to: &Sums, memory: *mut Memory) {
        let vectors = job.columns.div_ceil(V::COUNT);
        for part in 0..self.parts() {
            let job = job.part(self.indices(part));
            // SAFETY: the caller's
            unsafe {
                let panel: *mut f32 = (&raw mut (*memory).panel).cast();
                job.on::<V>(panel, vectors * V::COUNT);
                // the fewest to the widest
                macro_rules! each {
                    ($($n:literal)*) => {
                        match vectors {
                            $($n => V::apart(Pass::<V, $n> { lists: self, part, panel, to, start: job.start, lanes: PhantomData }),)*
                            _ => unreachable!("a panel of {vectors} vectors"),
                        }
                    };
                }
                each!(6 7 8 9 10 11 12 13);
            }
        }
    }
}

/// Rows of sums.
struct Sums {
    values: *mut f32,
    /// From row to row.
    stride: usize,
    /// Values of a row that may be written.
    room: usize,
}

impl Sums {
    /// Finishes them and stores them to C, turned.
    ///
    /// # Safety
    /// The processor has `V`; C is there; the sums are those of its columns, a row each.
    #[inline(always)]
    unsafe fn put<V: Lanes>(&self, job: &Job) {
        let mut block = MaybeUninit::<[f32; LINE * LINE]>::uninit();
        let block = block.as_mut_ptr().cast::<f32>();
        // SAFETY: the caller's; a block has room for as many vectors as one has values
        unsafe {
            for column in (0..job.columns).step_by(V::COUNT) {
                for row in (0..job.rows).step_by(V::COUNT) {
                    let (rows, columns) = (V::COUNT.min(job.rows - row), V::COUNT.min(job.columns - column));
                    let from = self.values.add(column * self.stride + row);
                    V::transpose((from, self.stride), (block, V::COUNT), (columns, rows));
                    for i in 0..rows {
                        let place = (row + i) * job.c_stride + column;
                        let sums = V::load(block.add(i * V::COUNT));
                        let sums = match job.finish {
                            Finish::Store => sums,
                            Finish::Relu => sums.relu(),
                            Finish::Gate(gate) => {
                                let gate = gate.add((row + i) * job.gate_stride + column);
                                sums.where_positive(V::load_most(gate, columns))
                            }
                        };
                        let to = job.c.add(place);
                        if columns < V::COUNT { sums.store_part(to, columns) } else { sums.store(to) }
                    }
                }
            }
        }
    }
}

/// One panel's share of the sums: `N` vectors a row.
struct Pass<'a, V, const N: usize> {
    lists: &'a Lists,
    part: usize,
    panel: *const f32,
    to: &'a Sums,
    start: Start,
    lanes: PhantomData<V>,
}

impl<V: Lanes, const N: usize> Task for Pass<'_, V, N> {
    #[inline(always)]
    unsafe fn run(self) {
        let rows = self.lists.rows;
        let mut row = 0;
        // two rows at once where registers hold the sums of both: a few sums that wait for each other leave the units idle
        if 2 * (N + 1) <= V::REGISTERS {
            while row + 2 <= rows {
                // SAFETY: the caller's
                unsafe { self.add::<2>(row) };
                row += 2;
            }
        }
        while row < rows {
            // SAFETY: the caller's
            unsafe { self.add::<1>(row) };
            row += 1;
        }
    }
}

// no closures: one that is not inlined is compiled without the instruction set
impl<V: Lanes, const N: usize> Pass<'_, V, N> {
    /// Adds to the sums of `R` rows from `first` on.
    ///
    /// # Safety
    /// As [`Lists::sum`].
    #[inline(always)]
    unsafe fn add<const R: usize>(&self, first: usize) {
        let Self { lists, part, to, .. } = *self;
        let last = to.room - (N - 1) * V::COUNT;
        // SAFETY: the caller's
        unsafe {
            let mut places = *lists.places.add(part * lists.rows + first).cast::<[u64; R]>();
            let values = lists.values.add(first * lists.stride + part * lists.depth);
            let to_first = to.values.add(first * to.stride);
            let mut sums = [[V::splat(0.0); N]; R];
            if self.start == Start::Present {
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let from = to_first.add(r * to.stride + v * V::COUNT);
                        *sum = if v + 1 == N { V::load_most(from, last) } else { V::load(from) };
                    }
                }
            }
            while !places.contains(&0) {
                for r in 0..R {
                    self.take(&mut places[r], values.add(r * lists.stride), &mut sums[r]);
                }
            }
            for (r, mut sums) in sums.into_iter().enumerate() {
                while places[r] != 0 {
                    self.take(&mut places[r], values.add(r * lists.stride), &mut sums);
                }
                for (v, sum) in sums.into_iter().enumerate() {
                    let to = to_first.add(r * to.stride + v * V::COUNT);
                    if v + 1 == N && last < V::COUNT { sum.store_part(to, last) } else { sum.store(to) }
                }
            }
        }
    }

    /// Takes the first of a row's places, and adds its row of the panel, times its value, to the row's sums.
    ///
    /// # Safety
    /// As [`Lists::sum`]; there is one.
    #[inline(always)]
    unsafe fn take(&self, places: &mut u64, values: *const f32, sums: &mut [V; N]) {
        let place = places.trailing_zeros() as usize;
        *places &= *places - 1;
        // SAFETY: the caller's
        unsafe {
            let value = V::splat(*values.add(place));
            let row = self.panel.add(place * (N * V::COUNT));
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = value.mul_add(V::load(row.add(v * V::COUNT)), *sum);
            }
        }
    }
}
