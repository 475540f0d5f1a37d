//! Devices by name: what is missing is an error that says how to mend it, and never the end of the process.

use tch::{Device, Kind, Tensor};
use virel_engine::device::{open, warm_up};
use virel_engine::learner::tensor::read;

#[test]
fn a_gpu_that_is_not_there_is_device_missing_and_the_process_lives_on() {
    // no machine has 128 GPUs
    for _ in 0..2 {
        let error = open("cuda:127").unwrap_err();
        assert_eq!(error.code(), "DEVICE_MISSING");
        let message = error.to_string();
        assert!(message.contains("npx virel-native setup --device cuda"), "{message}");
        assert!(message.starts_with("device cuda:127: "), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
    // the first GPU may be there
    match open("cuda") {
        Ok(device) => assert_eq!(device, Device::Cuda(0)),
        Err(error) => assert_eq!(error.code(), "DEVICE_MISSING"),
    }
    let sum = Tensor::f_ones([3], (Kind::Float, Device::Cpu)).unwrap().f_sum(None).unwrap();
    assert_eq!(read(&sum).unwrap(), 3.0);
}

#[test]
fn a_name_that_is_no_device_is_refused() {
    assert_eq!(open("cpu").unwrap(), Device::Cpu);
    for name in ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:128", "cuda:1:0", "cpu:0"]
    {
        assert_eq!(open(name).unwrap_err().code(), "CONFIG_RANGE", "{name:?}");
    }
}

#[test]
fn warming_up_twice_is_fine() {
    warm_up().unwrap();
    warm_up().unwrap();
}
