//! Vectors of `f32` as a processor has them: AVX-512, AVX2 with FMA, and one number at a time.
//!
//! Every implementation rounds a product and its sum once (`mul_add`), and adds up lanes in one order, so that the same sums
//! come out of all of them.

/// Values that are added up lane by lane before they are added to each other: those of the widest vector, and of a cache
/// line.
pub const LINE: usize = 16;

/// Asks for the cache line at an address, so that it is near when it is read or written. Any address will do: nothing is
/// read, and none is refused.
#[inline(always)]
pub fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, and it never faults
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for the cache lines of some values, which are about to be written: another core that has them gives them up
/// meanwhile.
#[inline(always)]
pub fn claim(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(LINE) {
        // SAFETY: a processor that lacks the instruction does nothing; it neither faults nor changes what it names. The
        // intrinsic for it becomes another instruction where the compiler is not told that the processor has this one
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) line.as_ptr(), options(nostack, preserves_flags, readonly));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

/// Bytes of a core's first-level cache for data, as the processor tells; 32 KB where it does not.
pub fn first_level_bytes() -> usize {
    /// The smallest that processors with vectors have.
    const LEAST: usize = 32 << 10;
    #[cfg(target_arch = "x86_64")]
    {
        use std::sync::LazyLock;

        use raw_cpuid::{CacheType, CpuId};

        // a virtual machine takes long to answer
        static BYTES: LazyLock<Option<usize>> = LazyLock::new(|| {
            let mut caches = CpuId::new().get_cache_parameters()?;
            let first = caches.find(|cache| cache.level() == 1 && cache.cache_type() == CacheType::Data)?;
            let lines = first.sets() * first.associativity() * first.physical_line_partitions();
            Some(lines * first.coherency_line_size())
        });
        BYTES.unwrap_or(LEAST)
    }
    #[cfg(not(target_arch = "x86_64"))]
    LEAST
}

/// Work on the vectors of one instruction set.
pub trait Task {
    /// Does it.
    ///
    /// # Safety
    /// The processor has the instruction set; what else the task says.
    unsafe fn run(self);
}

/// [`Lanes::apart`], compiled for what the attribute enables.
macro_rules! apart {
    ($(#[$enabled:meta])?) => {
        #[inline(always)]
        unsafe fn apart(task: impl Task) {
            $(#[$enabled])?
            #[inline(never)]
            unsafe fn call(task: impl Task) {
                // SAFETY: the caller's
                unsafe { task.run() }
            }
            // SAFETY: the caller's
            unsafe { call(task) }
        }
    };
}

/// Some numbers that one instruction works on.
///
/// # Safety
/// Of every method: the processor has the instruction set; pointers are good for as many values as the method says.
pub trait Lanes: Copy {
    /// How many.
    const COUNT: usize;
    /// How many of these the processor holds at once.
    const REGISTERS: usize;
    /// Does a task in a function of its own, compiled for the instruction set: what is hot has all registers.
    unsafe fn apart(task: impl Task);
    /// All the same.
    unsafe fn splat(x: f32) -> Self;
    /// [`Self::COUNT`] values.
    unsafe fn load(from: *const f32) -> Self;
    /// The first `count` values, the others 0.
    unsafe fn load_part(from: *const f32, count: usize) -> Self;
    /// [`Self::load`], or [`Self::load_part`] where there are fewer.
    #[inline(always)]
    unsafe fn load_most(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's
        unsafe { if count < Self::COUNT { Self::load_part(from, count) } else { Self::load(from) } }
    }
    /// All values.
    unsafe fn store(self, to: *mut f32);
    /// The first `count` values.
    unsafe fn store_part(self, to: *mut f32, count: usize);
    /// Turns a block over: `to[j * to_stride + i] = from[i * from_stride + j]` for i < `rows` and j < `columns`, at most
    /// [`Self::COUNT`] each. A whole vector is written to each of the `columns` rows, zeros after its `rows` values.
    #[inline(always)]
    unsafe fn transpose(
        (from, from_stride): (*const f32, usize),
        (to, to_stride): (*mut f32, usize),
        (rows, columns): (usize, usize),
    ) {
        for j in 0..columns {
            for i in 0..Self::COUNT {
                // SAFETY: the caller's
                unsafe {
                    *to.add(j * to_stride + i) = if i < rows { *from.add(i * from_stride + j) } else { 0.0 };
                }
            }
        }
    }
    /// `self · b + c`, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// max(x, 0); NaN stays NaN.
    unsafe fn relu(self) -> Self;
    /// Itself where `gate` is positive, else 0.
    unsafe fn where_positive(self, gate: Self) -> Self;
    /// A bit for each value that is not zero, the first lowest; NaN is not zero.
    unsafe fn not_zero(self) -> u32;
    /// The sum of a [`LINE`] of values: each of the first half and its fellow of the second, then the same of what that
    /// leaves, down to one.
    unsafe fn sum_of_line(line: &[Self]) -> f32;
}

/// One number at a time: what every processor has.
impl Lanes for f32 {
    const COUNT: usize = 1;
    const REGISTERS: usize = 16;
    apart!();
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's
        if count == 0 { 0.0 } else { unsafe { *from } }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's
        unsafe { *to = self }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, count: usize) {
        if count > 0 {
            // SAFETY: the caller's
            unsafe { *to = self }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        f32::mul_add(self, b, c)
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        crate::networks::mlp::relu(self)
    }
    #[inline(always)]
    unsafe fn where_positive(self, gate: Self) -> Self {
        if gate > 0.0 { self } else { 0.0 }
    }
    #[inline(always)]
    unsafe fn not_zero(self) -> u32 {
        u32::from(self != 0.0)
    }
    #[inline(always)]
    unsafe fn sum_of_line(line: &[Self]) -> f32 {
        let mut sums: [Self; LINE] = std::array::from_fn(|i| line[i]);
        for width in [8, 4, 2, 1] {
            for i in 0..width {
                sums[i] += sums[i + width];
            }
        }
        sums[0]
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::mem::MaybeUninit;

    use std::arch::x86_64::{
        __m256, __m256i, __m512, __mmask16, _CMP_GT_OQ, _CMP_NEQ_UQ, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32,
        _mm_loadu_ps, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps, _mm256_and_ps, _mm256_castpd_ps,
        _mm256_castps_pd, _mm256_castps128_ps256, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_cmpgt_epi32,
        _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_insertf128_ps, _mm256_loadu_ps, _mm256_maskload_ps,
        _mm256_maskstore_ps, _mm256_max_ps, _mm256_movemask_ps, _mm256_permute2f128_ps, _mm256_set1_epi32,
        _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512,
        _mm512_castps512_ps256, _mm512_cmp_ps_mask, _mm512_extractf64x4_pd, _mm512_fmadd_ps,
        _mm512_insertf64x4, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
        _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4,
        _mm512_shuffle_ps, _mm512_storeu_ps, _mm512_unpackhi_ps, _mm512_unpacklo_ps,
    };

    use super::{Lanes, Task};

    /// AVX-512F.
    #[derive(Clone, Copy)]
    pub struct Avx512(__m512);

    /// The lowest `count` of 16 lanes.
    #[inline(always)]
    const fn lowest(count: usize) -> __mmask16 {
        ((1_u32 << count) - 1) as __mmask16
    }

    /// The first `columns` columns of 16 x 16 values, as rows.
    ///
    /// # Safety
    /// AVX-512F; the block is there, and room for the columns.
    #[inline(always)]
    unsafe fn turn_block(
        (from, from_stride): (*const f32, usize),
        (to, to_stride): (*mut f32, usize),
        columns: usize,
    ) {
        // half of the columns at a time: what is under way stays in registers
        for first in [0, 8] {
            // SAFETY: the caller's
            unsafe {
                // quarters of rows that are four apart come beside each other, the first two as they are loaded
                let mut rows = [[_mm512_setzero_ps(); 2]; 4];
                for (i, quarters) in rows.iter_mut().enumerate() {
                    let row = from.add(i * from_stride + first);
                    let low = beside(row, row.add(4 * from_stride));
                    let high = beside(row.add(8 * from_stride), row.add(12 * from_stride));
                    *quarters =
                        [_mm512_shuffle_f32x4::<0x88>(low, high), _mm512_shuffle_f32x4::<0xdd>(low, high)];
                }
                for quarter in 0..2 {
                    let rows = [rows[0][quarter], rows[1][quarter], rows[2][quarter], rows[3][quarter]];
                    for (j, column) in turned_quarters(rows).into_iter().enumerate() {
                        let j = first + 4 * quarter + j;
                        if j < columns {
                            _mm512_storeu_ps(to.add(j * to_stride), column);
                        }
                    }
                }
            }
        }
    }

    /// Eight values each of two rows.
    ///
    /// # Safety
    /// AVX-512F; the values are there.
    #[inline(always)]
    unsafe fn beside(low: *const f32, high: *const f32) -> __m512 {
        // SAFETY: the caller's
        unsafe {
            let low = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(low)));
            _mm512_castpd_ps(_mm512_insertf64x4::<1>(low, _mm256_castps_pd(_mm256_loadu_ps(high))))
        }
    }

    /// 4 x 4 values turned over in each quarter.
    ///
    /// # Safety
    /// AVX-512F.
    #[inline(always)]
    unsafe fn turned_quarters([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        // SAFETY: the caller's
        unsafe {
            let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
            let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
            [
                _mm512_shuffle_ps::<0x44>(ab, cd),
                _mm512_shuffle_ps::<0xee>(ab, cd),
                _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm512_shuffle_ps::<0xee>(ab_high, cd_high),
            ]
        }
    }

    // SAFETY of every block below: what the trait asks of the caller
    impl Lanes for Avx512 {
        const COUNT: usize = 16;
        const REGISTERS: usize = 32;
        apart!(#[target_feature(enable = "avx512f")]);
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm512_set1_ps(x)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm512_loadu_ps(from)) }
        }
        #[inline(always)]
        unsafe fn load_part(from: *const f32, count: usize) -> Self {
            // SAFETY: the caller's; masked lanes are not read
            unsafe { Self(_mm512_maskz_loadu_ps(lowest(count), from)) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's
            unsafe { _mm512_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn store_part(self, to: *mut f32, count: usize) {
            // SAFETY: the caller's; masked lanes are not written
            unsafe { _mm512_mask_storeu_ps(to, lowest(count), self.0) }
        }
        #[inline(always)]
        unsafe fn transpose(
            (from, from_stride): (*const f32, usize),
            (to, to_stride): (*mut f32, usize),
            (rows, columns): (usize, usize),
        ) {
            // SAFETY: the caller's; masked lanes are not read, and a row that is not there has none
            unsafe {
                if (rows, columns) == (16, 16) {
                    return turn_block((from, from_stride), (to, to_stride), 16);
                }
                let mut block = MaybeUninit::<[f32; 256]>::uninit();
                let block = block.as_mut_ptr().cast::<f32>();
                for i in 0..16 {
                    let lanes = if i < rows { lowest(columns) } else { 0 };
                    let row = _mm512_maskz_loadu_ps(lanes, from.wrapping_add(i * from_stride));
                    _mm512_storeu_ps(block.add(16 * i), row);
                }
                turn_block((block, 16), (to, to_stride), columns);
            }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm512_fmadd_ps(self.0, b.0, c.0)) }
        }
        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: the caller's; with NaN the second operand comes back
            unsafe { Self(_mm512_max_ps(_mm512_setzero_ps(), self.0)) }
        }
        #[inline(always)]
        unsafe fn where_positive(self, gate: Self) -> Self {
            // SAFETY: the caller's
            unsafe {
                let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate.0, _mm512_setzero_ps());
                Self(_mm512_maskz_mov_ps(positive, self.0))
            }
        }
        #[inline(always)]
        unsafe fn not_zero(self) -> u32 {
            // SAFETY: the caller's
            unsafe { u32::from(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_ps())) }
        }
        #[inline(always)]
        unsafe fn sum_of_line(line: &[Self]) -> f32 {
            // SAFETY: the caller's
            unsafe {
                let Self(values) = line[0];
                let second = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(values)));
                sum_of_eight(_mm256_add_ps(_mm512_castps512_ps256(values), second))
            }
        }
    }

    /// The last steps of [`Lanes::sum_of_line`].
    ///
    /// # Safety
    /// AVX2.
    #[inline(always)]
    unsafe fn sum_of_eight(values: __m256) -> f32 {
        // SAFETY: the caller's
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps::<1>(values));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    /// AVX2 with FMA.
    #[derive(Clone, Copy)]
    pub struct Avx2(__m256);

    /// The lowest `count` of 8 lanes.
    ///
    /// # Safety
    /// AVX2.
    #[inline(always)]
    unsafe fn lowest_of_eight(count: usize) -> __m256i {
        // SAFETY: the caller's
        unsafe {
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }

    /// The columns of an 8 x 8 block: `halves[i]`, i < 4, is the first four values of rows i and 4 + i, `halves[4 + i]` the
    /// last four of both.
    ///
    /// # Safety
    /// AVX2.
    #[inline(always)]
    unsafe fn turned_halves(halves: [__m256; 8]) -> [__m256; 8] {
        // SAFETY: the caller's
        unsafe {
            // pairs of neighbours, then fours
            let pairs: [__m256; 8] = std::array::from_fn(|i| {
                let (even, odd) = (halves[i & !1], halves[i | 1]);
                if i & 1 == 0 { _mm256_unpacklo_ps(even, odd) } else { _mm256_unpackhi_ps(even, odd) }
            });
            std::array::from_fn(|i| {
                let (low, high) = (pairs[i & 4 | i >> 1 & 1], pairs[i & 4 | 2 | i >> 1 & 1]);
                if i & 1 == 0 {
                    _mm256_shuffle_ps::<0x44>(low, high)
                } else {
                    _mm256_shuffle_ps::<0xee>(low, high)
                }
            })
        }
    }

    impl Lanes for Avx2 {
        const COUNT: usize = 8;
        const REGISTERS: usize = 16;
        apart!(#[target_feature(enable = "avx2,fma")]);
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm256_set1_ps(x)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm256_loadu_ps(from)) }
        }
        #[inline(always)]
        unsafe fn load_part(from: *const f32, count: usize) -> Self {
            // SAFETY: the caller's; masked lanes are not read
            unsafe { Self(_mm256_maskload_ps(from, lowest_of_eight(count))) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's
            unsafe { _mm256_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn store_part(self, to: *mut f32, count: usize) {
            // SAFETY: the caller's; masked lanes are not written
            unsafe { _mm256_maskstore_ps(to, lowest_of_eight(count), self.0) }
        }
        #[inline(always)]
        unsafe fn transpose(
            (from, from_stride): (*const f32, usize),
            (to, to_stride): (*mut f32, usize),
            (rows, columns): (usize, usize),
        ) {
            // SAFETY: the caller's
            unsafe {
                if (rows, columns) == (8, 8) {
                    // halves of rows that are four apart come beside each other as they are loaded
                    let halves: [__m256; 8] = std::array::from_fn(|i| {
                        let from = from.add((i & 3) * from_stride + (i & 4));
                        let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
                        _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * from_stride)))
                    });
                    for (j, column) in turned_halves(halves).into_iter().enumerate() {
                        _mm256_storeu_ps(to.add(j * to_stride), column);
                    }
                    return;
                }
                let mask = lowest_of_eight(columns);
                let block: [__m256; 8] = std::array::from_fn(|i| {
                    if i < rows {
                        _mm256_maskload_ps(from.add(i * from_stride), mask)
                    } else {
                        _mm256_setzero_ps()
                    }
                });
                let halves: [__m256; 8] = std::array::from_fn(|i| {
                    let (low, high) = (block[i & 3], block[4 | i & 3]);
                    if i < 4 {
                        _mm256_permute2f128_ps::<0x20>(low, high)
                    } else {
                        _mm256_permute2f128_ps::<0x31>(low, high)
                    }
                });
                for (j, column) in turned_halves(halves).into_iter().enumerate() {
                    if j < columns {
                        _mm256_storeu_ps(to.add(j * to_stride), column);
                    }
                }
            }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: the caller's
            unsafe { Self(_mm256_fmadd_ps(self.0, b.0, c.0)) }
        }
        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: the caller's; with NaN the second operand comes back
            unsafe { Self(_mm256_max_ps(_mm256_setzero_ps(), self.0)) }
        }
        #[inline(always)]
        unsafe fn where_positive(self, gate: Self) -> Self {
            // SAFETY: the caller's
            unsafe {
                let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(gate.0, _mm256_setzero_ps());
                Self(_mm256_and_ps(self.0, positive))
            }
        }
        #[inline(always)]
        unsafe fn not_zero(self) -> u32 {
            // SAFETY: the caller's
            unsafe {
                let lanes = _mm256_cmp_ps::<_CMP_NEQ_UQ>(self.0, _mm256_setzero_ps());
                _mm256_movemask_ps(lanes).cast_unsigned()
            }
        }
        #[inline(always)]
        unsafe fn sum_of_line(line: &[Self]) -> f32 {
            // SAFETY: the caller's
            unsafe { sum_of_eight(_mm256_add_ps(line[0].0, line[1].0)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_level_bytes;

    #[test]
    fn the_first_level_cache_is_what_the_system_says() {
        let bytes = first_level_bytes();
        assert!((16 << 10..=1 << 20).contains(&bytes), "{bytes} bytes");
        // containers may hide it, and not all cores of a processor are alike
        let sizes: Vec<usize> = (0..1024)
            .map(|core| format!("/sys/devices/system/cpu/cpu{core}/cache/index0/size"))
            .map_while(|file| std::fs::read_to_string(file).ok())
            .filter_map(|size| Some(size.trim().strip_suffix('K')?.parse::<usize>().ok()? << 10))
            .collect();
        if cfg!(target_arch = "x86_64") && !sizes.is_empty() {
            assert!(sizes.contains(&bytes), "{bytes} bytes, not one of {sizes:?}");
        }
    }
}
