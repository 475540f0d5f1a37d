//! Rows to columns: what our own product needs for the gradient of a weight.

/// Lines of this many values, both ways.
const BLOCK: usize = 16;

/// `to[j * to_stride + i] = from[i * from_stride + j]` for i < `rows`, j < `columns`.
///
/// # Panics
/// Where a slice is shorter than that.
pub fn transpose(
    (from, from_stride): (&[f32], usize),
    (to, to_stride): (&mut [f32], usize),
    (rows, columns): (usize, usize),
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(columns <= from_stride && rows <= to_stride, "rows overlap");
    assert!(from.len() >= (rows - 1) * from_stride + columns, "shape of a transpose");
    assert!(to.len() >= (columns - 1) * to_stride + rows, "shape of a transpose");
    for i in (0..rows).step_by(BLOCK) {
        for j in (0..columns).step_by(BLOCK) {
            let (from, to) = (&from[i * from_stride + j..], &mut to[j * to_stride + i..]);
            let part = (BLOCK.min(rows - i), BLOCK.min(columns - j));
            #[cfg(target_arch = "x86_64")]
            if part == (BLOCK, BLOCK) && is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor has AVX-512, and 16 rows of 16 lie in both slices by the assertions above
                unsafe { wide::block(from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride) };
                continue;
            }
            for (j, i) in (0..part.1).flat_map(|j| (0..part.0).map(move |i| (j, i))) {
                to[j * to_stride + i] = from[i * from_stride + j];
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m512, __m512i, _mm512_loadu_epi32, _mm512_loadu_ps, _mm512_permutex2var_ps, _mm512_storeu_ps,
    };

    use super::BLOCK;

    /// Which lanes of two rows, `width` apart, come to lie in the first and in the second of them: their blocks of
    /// `width` beside the diagonal change places. Lanes of the second row count from 16.
    const fn exchanged(width: usize) -> [[i32; BLOCK]; 2] {
        let mut lanes = [[0; BLOCK]; 2];
        let mut lane = 0;
        while lane < BLOCK {
            let is_low = lane & width == 0;
            lanes[0][lane] = (if is_low { lane } else { BLOCK + lane - width }) as i32;
            lanes[1][lane] = (if is_low { lane + width } else { BLOCK + lane }) as i32;
            lane += 1;
        }
        lanes
    }

    /// For widths of 8, 4, 2, 1: after all four a block is turned over.
    const EXCHANGES: [(usize, [[i32; BLOCK]; 2]); 4] =
        [(8, exchanged(8)), (4, exchanged(4)), (2, exchanged(2)), (1, exchanged(1))];

    /// 16 rows of 16, in registers.
    ///
    /// # Safety
    /// Both pointers are good for 16 rows of 16.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn block(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller's
        let mut rows: [__m512; BLOCK] =
            std::array::from_fn(|i| unsafe { _mm512_loadu_ps(from.add(i * from_stride)) });
        for (width, lanes) in EXCHANGES {
            // SAFETY: each points to 16 numbers
            let [first, second]: [__m512i; 2] =
                lanes.map(|lanes| unsafe { _mm512_loadu_epi32(lanes.as_ptr()) });
            for i in (0..BLOCK).filter(|i| i & width == 0) {
                let (low, high) = (rows[i], rows[i + width]);
                rows[i] = _mm512_permutex2var_ps(low, first, high);
                rows[i + width] = _mm512_permutex2var_ps(low, second, high);
            }
        }
        for (j, row) in rows.into_iter().enumerate() {
            // SAFETY: the caller's
            unsafe { _mm512_storeu_ps(to.add(j * to_stride), row) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::transpose;

    #[test]
    fn every_element_finds_its_place_and_nothing_else_is_touched() {
        for (rows, columns) in [(1, 1), (5, 33), (16, 16), (17, 40), (48, 31), (64, 128)] {
            let (from_stride, to_stride) = (columns + 3, rows + 2);
            let from: Vec<f32> = (0..rows * from_stride).map(|x| x as f32).collect();
            let mut to = vec![-1.0; columns * to_stride];
            transpose((&from, from_stride), (&mut to, to_stride), (rows, columns));
            for j in 0..columns {
                for i in 0..to_stride {
                    let expected = if i < rows { from[i * from_stride + j] } else { -1.0 };
                    assert_eq!(to[j * to_stride + i], expected);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "shape of a transpose")]
    fn a_shape_beyond_the_slice_is_refused() {
        transpose((&[0.0; 5], 2), (&mut [0.0; 6], 3), (3, 2));
    }
}
