//! VIREL in native memory, in the paper's order: the tasks, the transitions they yield, the equations on slices,
//! the networks, the algorithms as parts, the gradient step (two implementations), and the session that joins them.

pub mod checkpoint;
pub mod device;
pub mod environments;
pub mod error;
pub mod evaluation;
mod lanes;
pub mod learner;
pub mod ledger;
pub mod math;
pub mod memory;
pub mod networks;
pub mod random;
pub mod recipe;
pub mod replay;
pub mod session;
mod threads;
pub mod versions;
