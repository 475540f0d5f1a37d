//! The equations on slices, with their gradients by network outputs; generic over f32 and f64.
