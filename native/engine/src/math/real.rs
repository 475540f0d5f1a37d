//! The number types of the equations. f64 uses the standard library; f32 has its own elementary functions,
//! because the library's are calls that keep a loop from becoming vectors.
//!
//! The functions for f32 are those of Cephes (`expf`, `tanhf`, single precision) and the series of 2 artanh for
//! the logarithm, without branches and without fused multiply-add, so that every vector width gives the same
//! bits. The tests below compare them with f64: at most 2 units in the last place, which is the error that one
//! more multiplication and addition would bring.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// f32 or f64.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// This number in f64.
    fn wide(self) -> f64;
    /// |x|.
    fn absolute(self) -> Self;
    /// √x.
    fn root(self) -> Self;
    /// x between `low` and `high`; NaN stays NaN.
    fn between(self, low: Self, high: Self) -> Self;
    /// eˣ; f32 saturates outside [−87, 88].
    fn exponential(self) -> Self;
    /// log(1 + x) for x in [0, 1].
    fn log_one_plus(self) -> Self;
    /// tanh x.
    fn hyperbolic_tangent(self) -> Self;
    /// Itself, or 0 where it is smaller than every normal number.
    fn normal_or_zero(self) -> Self;
}

impl Real for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn between(self, low: Self, high: Self) -> Self {
        self.clamp(low, high)
    }
    #[inline(always)]
    fn exponential(self) -> Self {
        self.exp()
    }
    #[inline(always)]
    fn log_one_plus(self) -> Self {
        self.ln_1p()
    }
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        self.tanh()
    }
    #[inline(always)]
    fn normal_or_zero(self) -> Self {
        let is_normal = self.to_bits() << 1 >= Self::MIN_POSITIVE.to_bits() << 1;
        Self::from_bits(self.to_bits() & u64::from(is_normal).wrapping_neg())
    }
}

impl Real for f32 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn between(self, low: Self, high: Self) -> Self {
        self.clamp(low, high)
    }

    /// eˣ = 2ⁿ eʳ, n the integer nearest to x / log 2, |r| ≤ log 2 / 2; eʳ by Cephes' polynomial.
    #[inline(always)]
    fn exponential(self) -> Self {
        // adding 1.5 * 2^23 rounds to an integer, and leaves it in the low bits
        const ROUND: f32 = 12_582_912.0;
        // log 2 in two parts; the first has 10 bits, so that its product with n is exact
        const LOG_2_HIGH: f32 = 0.693_359_4;
        const LOG_2_LOW: f32 = -2.121_944_4e-4;
        const EXPONENT_BITS: u32 = 23;
        let x = self.clamp(-87.0, 88.0);
        let rounded = x * std::f32::consts::LOG2_E + ROUND;
        let n = rounded - ROUND;
        let r = (x - n * LOG_2_HIGH) - n * LOG_2_LOW;
        let p = (((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r;
        let p = ((p + 1.666_666_5e-1) * r + 0.5) * (r * r) + r + 1.0;
        p * f32::from_bits((rounded.to_bits() << EXPONENT_BITS).wrapping_add(1.0_f32.to_bits()))
    }

    /// 2 artanh z, z = x / (2 + x) ≤ 1/3; the first term left out is 2 z¹⁵ / 15 < 1e-8.
    #[inline(always)]
    fn log_one_plus(self) -> Self {
        let z = self / (2.0 + self);
        let w = z * z;
        let p = ((1.0 / 13.0 * w + 1.0 / 11.0) * w + 1.0 / 9.0) * w + 1.0 / 7.0;
        let p = ((p * w + 1.0 / 5.0) * w + 1.0 / 3.0) * w;
        2.0 * z * p + 2.0 * z
    }

    /// Cephes' polynomial below 0.625, (1 − e^−2|x|) / (1 + e^−2|x|) above.
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        let w = self * self;
        let p = ((-5.704_988_7e-3 * w + 2.063_909e-2) * w - 5.373_971_6e-2) * w + 1.333_144_2e-1;
        let near = (p * w - 3.333_328e-1) * w * self + self;
        let e = (-2.0 * self.abs()).exponential();
        let far = ((1.0 - e) / (1.0 + e)).copysign(self);
        if self.abs() < 0.625 { near } else { far }
    }
    #[inline(always)]
    fn normal_or_zero(self) -> Self {
        let is_normal = self.to_bits() << 1 >= Self::MIN_POSITIVE.to_bits() << 1;
        Self::from_bits(self.to_bits() & u32::from(is_normal).wrapping_neg())
    }
}

/// Partial sums that [`sum`] keeps: one vector of eight f64.
const LANES: usize = 8;

/// Σ x in f64, in an order that depends on the length alone.
#[inline(always)]
pub fn sum<F: Real>(values: impl ExactSizeIterator<Item = F>) -> f64 {
    let mut partial = [0.0; LANES];
    for (index, value) in values.enumerate() {
        partial[index % LANES] += value.wide();
    }
    partial.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::{Real, sum};

    /// Largest error of `got` against `exact`, in units of the last place of the exact value.
    fn worst(range: (f32, f32), got: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        const POINTS: u32 = 200_000;
        let step = f64::from(range.1 - range.0) / f64::from(POINTS);
        let errors = (0..=POINTS).map(|i| {
            let x = (f64::from(range.0) + f64::from(i) * step) as f32;
            let exact = exact(f64::from(x));
            let unit = (exact as f32).abs().next_up() - (exact as f32).abs();
            (f64::from(got(x)) - exact).abs() / f64::from(unit)
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn numbers_that_are_not_normal_become_zero() {
        for x in [0.0, f32::from_bits(1), f32::MIN_POSITIVE / 2.0, f32::MIN_POSITIVE.next_down()] {
            assert_eq!((x.normal_or_zero().to_bits(), (-x).normal_or_zero().to_bits()), (0, 0), "{x}");
        }
        for x in [f32::MIN_POSITIVE, 1e-30, 1.0, f32::MAX, f32::INFINITY, f32::NAN] {
            assert_eq!(x.normal_or_zero().to_bits(), x.to_bits());
            assert_eq!((-x).normal_or_zero().to_bits(), (-x).to_bits());
        }
        assert_eq!((f64::MIN_POSITIVE / 2.0).normal_or_zero().to_bits(), 0);
        assert_eq!((-f64::MIN_POSITIVE).normal_or_zero(), -f64::MIN_POSITIVE);
        assert!(f64::NAN.normal_or_zero().is_nan());
    }

    #[test]
    fn exponential_in_f32_is_within_two_units_of_the_last_place() {
        let error = worst((-87.0, 88.0), Real::exponential, f64::exp);
        assert!(error < 2.0, "{error}");
        assert_eq!(0.0_f32.exponential(), 1.0);
        assert!((-1e9_f32).exponential() < 1e-37);
    }

    #[test]
    fn logarithm_in_f32_is_within_two_units_of_the_last_place() {
        for range in [(0.0, 1.0), (0.0, 1e-3), (0.0, 1e-30)] {
            let error = worst(range, Real::log_one_plus, f64::ln_1p);
            assert!(error < 2.0, "{range:?}: {error}");
        }
    }

    #[test]
    fn tangent_in_f32_is_within_two_units_of_the_last_place() {
        for range in [(-12.0, 12.0), (-1.0, 1.0), (-1e-3, 1e-3), (0.62, 0.63)] {
            let error = worst(range, Real::hyperbolic_tangent, f64::tanh);
            assert!(error < 2.0, "{range:?}: {error}");
        }
        assert_eq!(1e9_f32.hyperbolic_tangent(), 1.0);
        assert_eq!((-1e9_f32).hyperbolic_tangent(), -1.0);
    }

    #[test]
    fn not_a_number_stays_not_a_number() {
        assert!(f32::NAN.exponential().is_nan());
        assert!(f32::NAN.log_one_plus().is_nan());
        assert!(f32::NAN.hyperbolic_tangent().is_nan());
        assert!(f32::NAN.between(-20.0, 2.0).is_nan());
    }

    #[test]
    fn sum_adds_every_value_once() {
        let values: Vec<f64> = (1..=21).map(f64::from).collect();
        assert_eq!(sum(values.iter().copied()), 231.0);
        assert_eq!(sum(std::iter::empty::<f64>()), 0.0);
    }
}
