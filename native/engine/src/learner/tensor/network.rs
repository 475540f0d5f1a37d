//! A multilayer perceptron with ReLU between its layers; its parameters are views of one flat tensor.
//!
//! Forward:   x₀ = input,  xᵢ₊₁ = relu(xᵢWᵢᵀ + bᵢ),  output = x_L W_Lᵀ + b_L.
//! Backward:  δ_L = ∂J/∂output,  ∂J/∂Wᵢ = δᵢᵀxᵢ,  ∂J/∂bᵢ = Σ_rows δᵢ,  δᵢ₋₁ = (δᵢWᵢ) ∘ 1[xᵢ > 0].
//! Shapes: B rows; xᵢ `[B, in]`, Wᵢ `[out, in]`, bᵢ `[out]`.

use tch::Tensor;

use super::transfer::Placement;
use crate::error::Result;
use crate::networks::layout::{LayerSpec, ParameterSpec, stacked};

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
            let next = output.f_linear(&layer.weight, Some(&layer.bias))?;
            inputs.push(std::mem::replace(&mut output, next));
        }
        Ok(Pass { inputs, output })
    }

    /// Writes ∂J/∂parameters into `gradient`, given ∂J/∂output `[B, out]`.
    pub fn backward(&self, pass: &Pass, output_gradient: &Tensor, gradient: &Self) -> Result<()> {
        let mut delta = output_gradient.shallow_clone();
        for (index, input) in pass.inputs.iter().enumerate().rev() {
            let Linear { weight, bias, .. } = &gradient.layers[index];
            let _ = delta.f_tr()?.f_mm_out(weight, input)?;
            let _ = delta.f_sum_intlist_out(bias, 0, false, None)?;
            if index > 0 {
                delta = self.through(index, &delta, input)?;
            }
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

    /// δ of the layer before layer `index`, whose rectified output is `input`.
    fn through(&self, index: usize, delta: &Tensor, input: &Tensor) -> Result<Tensor> {
        let delta = delta.f_mm(&self.layers[index].weight)?;
        Ok(input.f_threshold_backward(&delta, 0)?)
    }
}
