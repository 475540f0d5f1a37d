//! The way of numbers between host and device, counted. [`Placement::upload`] is the only way there, [`read_into`] the
//! only way back and the only place where the host waits: `clippy.toml` forbids what else libtorch has for it.

use std::cell::Cell;

use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::ledger::Ledger;
use crate::networks::layout::Sizes;
use crate::replay::batch::Batch;

/// Values that an array begins at a multiple of in a common upload: 64 bytes, as an allocation of its own would.
const ALIGNMENT: usize = 16;

/// Transfers between the host and any device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transfers {
    /// From the host.
    pub uploads: u64,
    /// To the host, which waits for each.
    pub reads: u64,
}

thread_local! {
    static TRANSFERS: Cell<Transfers> = const { Cell::new(Transfers { uploads: 0, reads: 0 }) };
}

/// Transfers that the calling thread has made so far; on a CPU the copies that stand for them.
pub fn transfers() -> Transfers {
    TRANSFERS.get()
}

fn count(change: impl Fn(&mut Transfers)) {
    let mut transfers = TRANSFERS.get();
    change(&mut transfers);
    TRANSFERS.set(transfers);
}

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
    #[allow(clippy::disallowed_methods, reason = "the one way to the device")]
    pub fn upload(self, values: &[f32], shape: &[i64]) -> Result<Tensor> {
        count(|transfers| transfers.uploads += 1);
        let mut host = Tensor::f_from_slice(values)?.f_reshape(shape)?;
        if self.device.is_cuda() {
            // a GPU fetches from pinned memory by itself: from other memory the host waits until it has
            host = host.f_internal_pin_memory(self.device)?;
        }
        Ok(host.f_to_device_(self.device, self.kind, true, false)?)
    }
}

/// What a step or the residual error is given, in one array, and where in it everything lies.
pub struct Shipment {
    values: Vec<f32>,
    manifest: Manifest,
}

/// Where what a [`Shipment`] holds lies.
#[derive(Debug, Clone, Copy)]
pub struct Manifest {
    rows: usize,
    observation: usize,
    action: usize,
    /// Of noise, for s and for s′.
    draws: [usize; 2],
    batch: [Slot; 5],
    noise: Slot,
    numbers: [Slot; 2],
}

/// Where an array lies.
#[derive(Debug, Clone, Copy)]
struct Slot {
    first: i64,
    len: i64,
}

impl Shipment {
    /// A batch, its noise `[B, first + second, A]`, `first` draws for s, then `second` for s′, and two numbers; lengths are
    /// the caller's to check.
    pub fn new(
        batch: &Batch<'_>,
        (noise, draws): (&[f32], [usize; 2]),
        numbers: [f32; 2],
        sizes: &Sizes,
    ) -> Self {
        let mut values = Vec::new();
        let mut add = |array: &[f32]| {
            let slot = Slot { first: values.len() as i64, len: array.len() as i64 };
            values.extend_from_slice(array);
            values.resize(values.len().next_multiple_of(ALIGNMENT), 0.0);
            slot
        };
        let manifest = Manifest {
            rows: batch.rows(),
            observation: sizes.observation,
            action: sizes.action,
            draws,
            batch: [
                batch.observations,
                batch.actions,
                batch.rewards,
                batch.next_observations,
                batch.discounts,
            ]
            .map(&mut add),
            noise: add(noise),
            numbers: numbers.map(|number| add(&[number])),
        };
        Self { values, manifest }
    }

    /// Where everything lies.
    pub const fn manifest(&self) -> Manifest {
        self.manifest
    }

    /// Copies it to the device in one transfer.
    pub fn upload(&self, placement: Placement) -> Result<Tensor> {
        placement.upload(&self.values, &[self.values.len() as i64])
    }
}

impl Slot {
    /// The array in its uploaded shipment.
    fn view(self, uploaded: &Tensor, shape: &[i64]) -> Result<Tensor> {
        Ok(uploaded.f_narrow(0, self.first, self.len)?.f_view(shape)?)
    }
}

/// What a step or the residual error is given, on the device.
pub struct Upload {
    /// Its minibatch.
    pub inputs: Inputs,
    /// Its ξ.
    pub noise: Noise,
    /// Numbers of its temperature, scalars.
    pub numbers: [Tensor; 2],
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

/// ξ of a step on the device, `[B, draws, A]` each.
pub struct Noise {
    /// For actions at s.
    pub at_state: Tensor,
    /// For actions at s′.
    pub at_next_state: Tensor,
}

impl Upload {
    /// Views of a shipment that was uploaded.
    pub fn of(uploaded: &Tensor, manifest: &Manifest) -> Result<Self> {
        let [state, action, reward, next_state, discount] = manifest.batch;
        let rows = manifest.rows as i64;
        let (width, [first, second]) = (manifest.action as i64, manifest.draws.map(|draws| draws as i64));
        let observation = [rows, manifest.observation as i64];
        let observations = state.view(uploaded, &observation)?;
        let noise = manifest.noise.view(uploaded, &[rows, first + second, width])?;
        let [offset, slope] = manifest.numbers.map(|number| number.view(uploaded, &[]));
        Ok(Self {
            inputs: Inputs {
                rows: manifest.rows,
                state_action: pairs(&observations, &action.view(uploaded, &[rows, width])?)?,
                observations,
                rewards: reward.view(uploaded, &[rows, 1])?,
                next_observations: next_state.view(uploaded, &observation)?,
                discounts: discount.view(uploaded, &[rows, 1])?,
            },
            noise: Noise {
                at_state: noise.f_narrow(1, 0, first)?,
                at_next_state: noise.f_narrow(1, first, second)?,
            },
            numbers: [offset?, slope?],
        })
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

/// Scalars on the device, each with its place in a `T` on the host: they cross together.
pub struct Report<T> {
    scalars: Vec<Tensor>,
    places: Vec<Place<T>>,
}

/// Puts a scalar in its place.
type Place<T> = Box<dyn Fn(&mut T, f32)>;

impl<T> Report<T> {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { scalars: Vec::new(), places: Vec::new() }
    }

    /// Adds a scalar and the place it goes to.
    pub fn add(&mut self, scalar: Tensor, place: impl Fn(&mut T, f32) + 'static) {
        self.scalars.push(scalar);
        self.places.push(Box::new(place));
    }

    /// Adds a scalar, if there is one.
    pub fn add_if(&mut self, scalar: Option<Tensor>, place: impl Fn(&mut T, f32) + 'static) {
        if let Some(scalar) = scalar {
            self.add(scalar, place);
        }
    }

    /// Brings all scalars from the device in one read.
    pub fn read_into(&self, report: &mut T) -> Result<()> {
        if self.scalars.is_empty() {
            return Ok(());
        }
        let values = read_all(&Tensor::f_stack(&self.scalars, 0)?, self.scalars.len())?;
        self.places.iter().zip(values).for_each(|(place, value)| place(report, value));
        Ok(())
    }
}

/// Brings a scalar from the device.
///
/// # Errors
/// `NATIVE_EXCEPTION`.
pub fn read(scalar: &Tensor) -> Result<f32> {
    let mut value = [0.0];
    read_into(scalar, &mut value)?;
    Ok(value[0])
}

/// Brings all `len` values of a tensor from the device, row-major.
pub fn read_all(tensor: &Tensor, len: usize) -> Result<Vec<f32>> {
    let mut values = vec![0.0; len];
    read_into(tensor, &mut values)?;
    Ok(values)
}

/// A tensor's numbers to a ledger, or from it.
pub fn exchange(ledger: &mut Ledger, name: &str, tensor: &mut Tensor) -> Result<()> {
    let mut values = read_all(tensor, tensor.numel())?;
    ledger.values(name, &mut values)?;
    if ledger.is_reading() {
        let placement = Placement { device: tensor.device(), kind: tensor.f_kind()? };
        tensor.f_copy_(&placement.upload(&values, &tensor.size())?)?;
    }
    Ok(())
}

/// The same of a scalar in f64, which holds larger counts than an f32.
#[allow(clippy::disallowed_methods, reason = "a way back of its own: the other is in f32")]
pub fn exchange_scalar(ledger: &mut Ledger, name: &str, scalar: &mut Tensor) -> Result<()> {
    count(|transfers| transfers.reads += 1);
    let mut value = [0.0_f64];
    scalar.f_to_device_(Device::Cpu, Kind::Double, false, false)?.f_view([1])?.f_copy_data(&mut value, 1)?;
    ledger.values(name, &mut value)?;
    if ledger.is_reading() {
        let _ = scalar.f_fill_(value[0])?;
    }
    Ok(())
}

/// Brings the values of a tensor, as many as `values` has, from the device.
#[allow(clippy::disallowed_methods, reason = "the one way back")]
pub fn read_into(tensor: &Tensor, values: &mut [f32]) -> Result<()> {
    count(|transfers| transfers.reads += 1);
    let host = tensor.f_to_device_(Device::Cpu, Kind::Float, false, false)?.f_contiguous()?;
    Ok(host.f_copy_data(values, values.len())?)
}
