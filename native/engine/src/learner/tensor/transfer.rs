//! The way of numbers between host and device. [`read`], [`read_all`] and [`read_into`] are the only places
//! where the host waits.

use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::networks::layout::Sizes;
use crate::replay::batch::Batch;

/// Where tensors live and how precise they are.
#[derive(Debug, Clone, Copy)]
pub struct Placement {
    /// CPU or one GPU.
    pub device: Device,
    /// f32 or f64.
    pub kind: Kind,
}

impl Placement {
    /// A tensor of zeros.
    pub fn zeros(self, shape: &[i64]) -> Result<Tensor> {
        Ok(Tensor::f_zeros(shape, (self.kind, self.device))?)
    }

    /// A copy of the host's values, row-major.
    pub fn upload(self, values: &[f32], shape: &[i64]) -> Result<Tensor> {
        let host = Tensor::f_from_slice(values)?.f_reshape(shape)?;
        Ok(host.f_to_device_(self.device, self.kind, true, false)?)
    }
}

/// A minibatch on the device.
pub struct Inputs {
    /// B.
    pub rows: usize,
    /// s, `[B, O]`.
    pub observations: Tensor,
    /// (s, a), `[B, O + A]`.
    pub state_action: Tensor,
    /// r, `[B, 1]`.
    pub rewards: Tensor,
    /// s′, `[B, O]`.
    pub next_observations: Tensor,
    /// γ(1−d), `[B, 1]`.
    pub discounts: Tensor,
}

impl Inputs {
    /// Copies a batch to the device; lengths are the caller's to check.
    pub fn upload(batch: &Batch<'_>, sizes: &Sizes, placement: Placement) -> Result<Self> {
        let rows = batch.rows() as i64;
        let observation = [rows, sizes.observation as i64];
        let observations = placement.upload(batch.observations, &observation)?;
        let actions = placement.upload(batch.actions, &[rows, sizes.action as i64])?;
        Ok(Self {
            rows: batch.rows(),
            state_action: pairs(&observations, &actions)?,
            observations,
            rewards: placement.upload(batch.rewards, &[rows, 1])?,
            next_observations: placement.upload(batch.next_observations, &observation)?,
            discounts: placement.upload(batch.discounts, &[rows, 1])?,
        })
    }
}

/// ξ of a step on the device, `[B, draws, A]` each.
pub struct Noise {
    /// For actions at s.
    pub at_state: Tensor,
    /// For actions at s′.
    pub at_next_state: Tensor,
}

impl Noise {
    /// Copies `[B, first + second, A]` values to the device, `first` draws for s, then `second` for s′; lengths are
    /// the caller's to check.
    pub fn upload(
        noise: &[f32],
        rows: usize,
        [first, second]: [usize; 2],
        action: usize,
        placement: Placement,
    ) -> Result<Self> {
        let [rows, first, second, action] = [rows, first, second, action].map(|length| length as i64);
        let noise = placement.upload(noise, &[rows, first + second, action])?;
        Ok(Self { at_state: noise.f_narrow(1, 0, first)?, at_next_state: noise.f_narrow(1, first, second)? })
    }
}

/// (s, a), `[B, O + A]`, from `[B, O]` and `[B, A]`.
pub fn pairs(observations: &Tensor, actions: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_cat(&[observations, actions], 1)?)
}

/// (s, a_k), `[B·K, O + A]`, from `[B, O]` and `[B, K, A]`: row bK + k is sample k of state b, as in the noise.
pub fn sampled_pairs(observations: &Tensor, actions: &Tensor, samples: usize) -> Result<Tensor> {
    let repeated = observations.f_unsqueeze(1)?.f_expand([-1, samples as i64, -1], false)?;
    Ok(Tensor::f_cat(&[&repeated, actions], 2)?.f_flatten(0, 1)?)
}

/// Brings N scalars from the device, in one transfer.
pub fn read<const N: usize>(scalars: [Tensor; N]) -> Result<[f32; N]> {
    let mut values = [0.0; N];
    read_into(&Tensor::f_stack(&scalars, 0)?, &mut values)?;
    Ok(values)
}

/// Brings a scalar from the device, if there is one.
pub fn read_optional(scalar: Option<Tensor>) -> Result<Option<f32>> {
    scalar.map(|scalar| read([scalar]).map(|[value]| value)).transpose()
}

/// Brings all `len` values of a tensor from the device, row-major.
pub fn read_all(tensor: &Tensor, len: usize) -> Result<Vec<f32>> {
    let mut values = vec![0.0; len];
    read_into(tensor, &mut values)?;
    Ok(values)
}

/// Brings the values of a tensor, as many as `values` has, from the device.
pub fn read_into(tensor: &Tensor, values: &mut [f32]) -> Result<()> {
    let host = tensor.f_to_device_(Device::Cpu, Kind::Float, false, false)?.f_contiguous()?;
    Ok(host.f_copy_data(values, values.len())?)
}
