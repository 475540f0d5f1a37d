//! A multilayer perceptron with ReLU between its layers; its parameters are views of one flat tensor.
//!
//! Forward:   x₀ = input,  xᵢ₊₁ = relu(xᵢWᵢᵀ + bᵢ),  output = x_L W_Lᵀ + b_L.
//! Backward:  δ_L = ∂J/∂output,  ∂J/∂Wᵢ = δᵢᵀxᵢ,  ∂J/∂bᵢ = Σ_rows δᵢ,  δᵢ₋₁ = (δᵢWᵢ) ∘ 1[xᵢ > 0].
//!
//! Along a direction (Uᵢ, cᵢ) of the parameters, a dot for the derivative by the step along it:
//! Tangent:   ẋ₀ = 0,  żᵢ = xᵢUᵢᵀ + cᵢ + ẋᵢWᵢᵀ,  ẋᵢ₊₁ = żᵢ ∘ 1[xᵢ₊₁ > 0],  j = ż_L.
//! Adjoint of J(output, j):  λ_L = ∂J/∂j,  δ_L = ∂J/∂output,
//!            ∂J/∂Wᵢ = δᵢᵀxᵢ + λᵢᵀẋᵢ,  ∂J/∂bᵢ = Σ_rows δᵢ,  ∂J/∂Uᵢ = λᵢᵀxᵢ,  ∂J/∂cᵢ = Σ_rows λᵢ,
//!            λᵢ₋₁ = (λᵢWᵢ) ∘ 1[xᵢ > 0],  δᵢ₋₁ = (δᵢWᵢ + λᵢUᵢ) ∘ 1[xᵢ > 0]:
//! a Hessian-vector product without any second derivative of its own, since ReLU has none.
//! Shapes: B rows; xᵢ, ẋᵢ `[B, in]`, Wᵢ, Uᵢ `[out, in]`, bᵢ, cᵢ `[out]`, j as the output.

use tch::Tensor;

use super::queues::Queue;
use super::transfer::Placement;
use crate::error::Result;
use crate::networks::layout::{LayerSpec, ParameterSpec, stacked};

/// Rows from which libtorch's joint product and sum is the faster on a GPU, as measured on an H200 with 300 units at 256 and 512 rows.
const MANY_ROWS: i64 = 512;

/// Layers of a perceptron, or the gradient by them.
pub struct Network {
    /// All parameters, flat: one operation steps them all.
    pub values: Tensor,
    layers: Vec<Linear>,
}

/// Views of one layer's parameters.
struct Linear {
    /// What its rows are: a hidden layer, or all heads.
    parts: Vec<LayerSpec>,
    weight: Tensor,
    bias: Tensor,
}

/// What a forward pass leaves for the backward pass.
pub struct Pass {
    /// Input of each layer.
    inputs: Vec<Tensor>,
    /// `[B, out]`.
    pub output: Tensor,
}

/// What a tangent pass leaves for its backward pass.
pub struct Tangent {
    /// ẋ of each layer but the first, whose input does not depend on the parameters.
    inputs: Vec<Tensor>,
    /// j, the derivative of the output along the direction, `[B, out]`.
    pub output: Tensor,
}

impl Linear {
    /// xWᵀ + b. Few rows in two operations: as one, libtorch gives them to kernels that take a GPU up to three times as long.
    fn affine(&self, input: &Tensor) -> Result<Tensor> {
        if input.size()[0] < MANY_ROWS {
            Ok(input.f_mm(&self.weight.f_tr()?)?.f_add_(&self.bias)?)
        } else {
            Ok(input.f_linear(&self.weight, Some(&self.bias))?)
        }
    }
}

impl Network {
    /// All parameters zero.
    pub fn zeros(layers: Vec<LayerSpec>, placement: Placement) -> Result<Self> {
        let len: usize = layers.iter().map(|layer| layer.outputs * (layer.inputs + 1)).sum();
        let values = placement.zeros(&[len as i64])?;
        let mut linears = Vec::new();
        let mut offset = 0;
        let mut view = |shape: &[i64]| -> Result<Tensor> {
            let len = shape.iter().product();
            let view = values.f_narrow(0, offset, len)?.f_view(shape)?;
            offset += len;
            Ok(view)
        };
        for parts in stacked(layers) {
            let inputs = parts.first().map_or(0, |part| part.inputs) as i64;
            let outputs = parts.iter().map(|part| part.outputs as i64).sum();
            linears.push(Linear { weight: view(&[outputs, inputs])?, bias: view(&[outputs])?, parts });
        }
        Ok(Self { values, layers: linears })
    }

    /// Names and views of all parameters, in the order of `networks::layout`.
    pub fn named(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        let mut named = Vec::new();
        for Linear { parts, weight, bias } in &self.layers {
            let mut first_row = 0;
            for part in parts {
                let rows = part.outputs as i64;
                named.push((part.weight(), weight.f_narrow(0, first_row, rows)?));
                named.push((part.bias(), bias.f_narrow(0, first_row, rows)?));
                first_row += rows;
            }
        }
        Ok(named)
    }

    /// The output for `input` `[B, in]`, with what [`Self::backward`] needs.
    pub fn forward(&self, input: &Tensor) -> Result<Pass> {
        let mut inputs = Vec::with_capacity(self.layers.len());
        let mut output = input.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                output = output.f_relu_()?;
            }
            let next = layer.affine(&output)?;
            inputs.push(std::mem::replace(&mut output, next));
        }
        Ok(Pass { inputs, output })
    }

    /// Writes ∂J/∂parameters into `gradient`, given ∂J/∂output `[B, out]`.
    pub fn backward(
        &self,
        queue: Queue<'_>,
        pass: &Pass,
        output_gradient: &Tensor,
        gradient: &Self,
    ) -> Result<()> {
        self.backward_from(self.layers.len() - 1, queue, pass, output_gradient, gradient)
    }

    /// [`Self::backward`] from layer `index` to the first, given δ of that layer: its parameters' part beside that of the layers
    /// before.
    fn backward_from(
        &self,
        index: usize,
        queue: Queue<'_>,
        pass: &Pass,
        delta: &Tensor,
        gradient: &Self,
    ) -> Result<()> {
        let Linear { weight, bias, .. } = &gradient.layers[index];
        let input = &pass.inputs[index];
        let by_weight = || {
            let _ = delta.f_tr()?.f_mm_out(weight, input)?;
            Ok(())
        };
        let by_bias = || {
            let _ = delta.f_sum_intlist_out(bias, 0, false, None)?;
            Ok(())
        };
        let before = |queue: Queue<'_>| {
            let delta = self.through(index, delta, input)?;
            self.backward_from(index - 1, queue, pass, &delta, gradient)
        };
        if index == 0 {
            queue.with(|_| by_weight(), by_bias)?;
        } else {
            queue.with(|queue| queue.with(before, by_weight), by_bias)?;
        }
        Ok(())
    }

    /// ∂J/∂input from column `first` on, given ∂J/∂output `[B, out]`; the parameters get nothing.
    pub fn backward_to_input(&self, pass: &Pass, output_gradient: &Tensor, first: i64) -> Result<Tensor> {
        let mut delta = output_gradient.shallow_clone();
        for (index, input) in pass.inputs.iter().enumerate().skip(1).rev() {
            delta = self.through(index, &delta, input)?;
        }
        let weight = &self.layers[0].weight;
        Ok(delta.f_mm(&weight.f_slice(1, first, None, 1)?)?)
    }

    /// The derivative of `pass` along `direction`, a vector shaped as the parameters.
    pub fn tangent(&self, pass: &Pass, direction: &Self) -> Result<Tangent> {
        let mut inputs = Vec::with_capacity(self.layers.len());
        let mut output: Option<Tensor> = None;
        for (index, input) in pass.inputs.iter().enumerate() {
            let explicit = direction.layers[index].affine(input)?;
            let next = match output.take() {
                None => explicit,
                Some(before) => {
                    let tangent = input.f_threshold_backward(&before, 0)?;
                    let next = explicit.f_addmm(&tangent, &self.layers[index].weight.f_tr()?)?;
                    inputs.push(tangent);
                    next
                }
            };
            output = Some(next);
        }
        // a network has one layer at least
        let output = output.map_or_else(|| pass.output.f_zeros_like(), Ok)?;
        Ok(Tangent { inputs, output })
    }

    /// The adjoint of [`Self::forward`] and [`Self::tangent`] together, given ∂J/∂output = `by_output` and
    /// ∂J/∂j = `by_tangent`, `[B, out]`: **adds** ∂J/∂parameters to `gradient`, writes ∂J/∂direction into
    /// `direction_gradient`.
    pub fn backward_tangent(
        &self,
        (pass, tangent): (&Pass, &Tangent),
        direction: &Self,
        [by_output, by_tangent]: [&Tensor; 2],
        gradient: &Self,
        direction_gradient: &Self,
    ) -> Result<()> {
        let (mut delta, mut lambda) = (by_output.shallow_clone(), by_tangent.shallow_clone());
        for (index, input) in pass.inputs.iter().enumerate().rev() {
            let of_direction = &direction_gradient.layers[index];
            let _ = lambda.f_tr()?.f_mm_out(&of_direction.weight, input)?;
            let _ = lambda.f_sum_intlist_out(&of_direction.bias, 0, false, None)?;
            let (mut weight, mut bias) =
                (gradient.layers[index].weight.shallow_clone(), gradient.layers[index].bias.shallow_clone());
            let _ = weight.f_addmm_(&delta.f_tr()?, input)?;
            let _ = bias.f_add_(&delta.f_sum_dim_intlist(0, false, None)?)?;
            if index > 0 {
                let _ = weight.f_addmm_(&lambda.f_tr()?, &tangent.inputs[index - 1])?;
                let by_input = delta.f_mm(&self.layers[index].weight)?;
                let by_input = by_input.f_addmm(&lambda, &direction.layers[index].weight)?;
                delta = input.f_threshold_backward(&by_input, 0)?;
                lambda = self.through(index, &lambda, input)?;
            }
        }
        Ok(())
    }

    /// δ of the layer before layer `index`, whose rectified output is `input`.
    fn through(&self, index: usize, delta: &Tensor, input: &Tensor) -> Result<Tensor> {
        let delta = delta.f_mm(&self.layers[index].weight)?;
        Ok(input.f_threshold_backward(&delta, 0)?)
    }
}
