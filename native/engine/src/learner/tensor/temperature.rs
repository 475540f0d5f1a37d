//! The temperature of a step: a number, a multiple of the residual error, or the learner's own, which it trains.
//!
//! Residual error (Alg. 2):  T = slope · ε + offset, on the device where ε is.
//!
//! Tuned:  J_T = −log T · (mean log π + H̄),  ∂J_T/∂ log T = −(mean log π + H̄);  H̄ the target entropy.
//! Dual:   J_T = T · bound + mean_s T log mean_k exp(Q̄(s, a_k)/T),  ∂J_T/∂T = bound − mean_s Σ_k ω_k log(K ω_k);
//!         J_m = Σ_i m_i (bound − KL_i),  ∂J_m/∂m_i = bound − KL_i, for mean and covariance each;
//!         T, m = softplus(x) + 1e-8 of the numbers x that are trained,  ∂T/∂x = 1/(1 + e⁻ˣ).
//!
//! Shapes: T, J scalars; m, KL `[A]`. A T given from outside stands in every loss, and log T or x are stepped all the
//! same.

use tch::Tensor;

use super::boltzmann::Boltzmann;
use super::transfer::Placement;
use crate::error::Result;
use crate::learner::{KlBounds, Temperature, expect_positive, no_temperature, not_measured};
use crate::math::temperature::LEAST_DUAL;
use crate::networks::layout::{LOG_TEMPERATURE, ParameterSpec};

/// log T of a tuned temperature; x of a dual one, of the mean's m and of the covariance's; or the gradients by them.
pub struct Duals {
    /// All of them, flat: one operation steps them all.
    pub values: Tensor,
    specs: Vec<ParameterSpec>,
}

/// m of the KL constraints, `[A]` each.
pub struct Multipliers {
    /// Of the mean's.
    pub mean: Tensor,
    /// Of the covariance's.
    pub covariance: Tensor,
    /// ∂T/∂x and ∂m/∂x, flat.
    slope: Tensor,
}

impl Duals {
    /// All zero; None where there are none.
    pub fn zeros(specs: &[ParameterSpec], placement: Placement) -> Result<Option<Self>> {
        if specs.is_empty() {
            return Ok(None);
        }
        let len = specs.iter().map(ParameterSpec::len).sum::<usize>();
        Ok(Some(Self { values: placement.zeros(&[len as i64])?, specs: specs.to_vec() }))
    }

    /// Names and views, in the order of `networks::layout`.
    pub fn named(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        let mut offset = 0;
        let view = |spec: &ParameterSpec| {
            let len = spec.len() as i64;
            let view = self.values.f_narrow(0, offset, len)?;
            offset += len;
            Ok((spec.clone(), view))
        };
        self.specs.iter().map(view).collect()
    }

    /// T, a scalar that later steps leave as it is.
    pub fn temperature(&self) -> Result<Tensor> {
        match self.log_temperature()? {
            Some(log) => Ok(log.f_exp()?),
            None => of_trained(&self.values.f_select(0, 0)?),
        }
    }

    /// log T of a tuned temperature, likewise; None of a dual one.
    fn log_temperature(&self) -> Result<Option<Tensor>> {
        let log = (self.specs.iter().any(|spec| spec.name == LOG_TEMPERATURE))
            .then(|| self.values.f_select(0, 0)?.f_detach_copy());
        Ok(log.transpose()?)
    }

    /// m of both constraints; None without a dual temperature.
    pub fn multipliers(&self) -> Result<Option<Multipliers>> {
        let [_, mean, covariance] = self.specs.as_slice() else { return Ok(None) };
        let [mean, covariance] = [mean.len() as i64, covariance.len() as i64];
        let both = of_trained(&self.values.f_narrow(0, 1, mean + covariance)?)?;
        Ok(Some(Multipliers {
            mean: both.f_narrow(0, 0, mean)?,
            covariance: both.f_narrow(0, mean, covariance)?,
            slope: self.values.f_sigmoid()?,
        }))
    }
}

/// softplus(x) + 1e-8. libtorch's softplus is x itself above 20, where float32 has no more digits.
fn of_trained(trained: &Tensor) -> Result<Tensor> {
    Ok(trained.f_softplus()?.f_add_scalar(LEAST_DUAL)?)
}

/// What of a temperature crosses with a step: the number that stands alone and the factor of ε. They are no constants of
/// an operation, which a recorded graph would repeat for ever.
pub const fn numbers(temperature: Temperature) -> [f32; 2] {
    match temperature {
        Temperature::Own => [0.0, 0.0],
        Temperature::Given(number) => [number, 0.0],
        Temperature::OfResidual { slope, offset } => [offset as f32, slope as f32],
    }
}

/// T of one step, a scalar on the device.
pub struct InUse {
    source: Temperature,
    /// None where nothing gives one.
    value: Option<Tensor>,
    /// log T where T is tuned by the learner: through T it would lose digits near T = 1.
    own_log: Option<Tensor>,
}

impl InUse {
    /// From its [`numbers`] on the device, the latest ε there, and what the learner trains.
    ///
    /// # Errors
    /// `CONFIG_RANGE` where ε is read and has not been measured.
    pub fn new(
        source: Temperature,
        [alone, slope]: [Tensor; 2],
        residual_error: Option<&Tensor>,
        own: Option<&Duals>,
    ) -> Result<Self> {
        let own_log = match source {
            Temperature::Own => own.map(Duals::log_temperature).transpose()?.flatten(),
            _ => None,
        };
        let value = match (source, &own_log) {
            (Temperature::Own, Some(log)) => Some(log.f_exp()?),
            (Temperature::Own, None) => own.map(Duals::temperature).transpose()?,
            (Temperature::Given(_), _) => Some(alone),
            (Temperature::OfResidual { .. }, _) => {
                let residual_error = residual_error.ok_or_else(not_measured)?;
                Some(alone.f_addcmul(residual_error, &slope)?)
            }
        };
        Ok(Self { source, value, own_log })
    }

    /// T.
    ///
    /// # Errors
    /// `CONFIG_RANGE` where there is none: for parts that read one.
    pub fn value(&self) -> Result<Tensor> {
        match &self.value {
            Some(value) => Ok(value.shallow_clone()),
            None => Err(no_temperature()),
        }
    }

    /// T, for weights, which need it above 0. One that the residual error gives is not looked at, since it is on the
    /// device: where it is 0 the losses are NaN.
    ///
    /// # Errors
    /// `CONFIG_RANGE` where there is none; `TEMPERATURE_NOT_POSITIVE`.
    pub fn positive(&self) -> Result<Tensor> {
        if let Temperature::Given(number) = self.source {
            expect_positive(number)?;
        }
        self.value()
    }

    /// log T.
    fn log(&self) -> Result<Tensor> {
        match &self.own_log {
            Some(log) => Ok(log.shallow_clone()),
            None => Ok(self.value()?.f_log()?),
        }
    }
}

/// KL divergences of a policy from the prior, mean over the batch, `[A]` each.
pub struct KlDivergences {
    /// By the means, the covariance being the prior's.
    pub mean: Tensor,
    /// By the covariances, the mean being the same.
    pub covariance: Tensor,
}

/// Losses of what is trained of a temperature, as scalars, and the gradient by what is trained.
pub struct TemperatureLosses {
    /// J_T.
    pub temperature: Tensor,
    /// J_m of mean and covariance.
    pub multipliers: Option<[Tensor; 2]>,
    /// By log T or by every x, flat.
    pub gradient: Tensor,
}

/// Of a temperature that is tuned, from log π of the policy's own actions and H̄.
pub fn tuned(temperature: &InUse, log_density: &Tensor, target_entropy: f64) -> Result<TemperatureLosses> {
    let by_log = log_density.f_mean(None)?.f_add_scalar(target_entropy)?.f_neg()?;
    Ok(TemperatureLosses {
        temperature: temperature.log()?.f_mul(&by_log)?,
        multipliers: None,
        gradient: by_log.f_reshape([1])?,
    })
}

/// Of a dual temperature, from K sampled actions by their values, and of its multipliers.
pub fn dual(
    temperature: &InUse,
    (samples, boltzmann): (usize, &Boltzmann),
    divergences: &KlDivergences,
    multipliers: &Multipliers,
    bounds: &KlBounds,
) -> Result<TemperatureLosses> {
    let value = temperature.value()?;
    let bounded = value.f_mul_scalar(f64::from(bounds.dual))?;
    let slack = |divergence: &Tensor, bound: f32| divergence.f_rsub_scalar(f64::from(bound));
    let by_temperature = slack(&boltzmann.divergence(samples)?, bounds.dual)?;
    let by_mean = slack(&divergences.mean, bounds.mean)?;
    let by_covariance = slack(&divergences.covariance, bounds.covariance)?;
    let of = |multiplier: &Tensor, slack: &Tensor| multiplier.f_mul(slack)?.f_sum(None);
    let by_value = Tensor::f_cat(&[&by_temperature.f_reshape([1])?, &by_mean, &by_covariance], 0)?;
    Ok(TemperatureLosses {
        temperature: boltzmann.soft_maximum(&value, samples)?.f_add(&bounded)?,
        multipliers: Some([of(&multipliers.mean, &by_mean)?, of(&multipliers.covariance, &by_covariance)?]),
        gradient: by_value.f_mul(&multipliers.slope)?,
    })
}
