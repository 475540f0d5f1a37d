// libtorch's recording of CUDA operations as a graph, as plain functions, since tch wraps none of it. A library of its own: it needs
// libtorch's CUDA half, which is loaded only where a GPU is asked for. A function returns null, or a message that the caller frees.

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include <cstring>
#include <exception>
#include <memory>

namespace {

template <typename Work>
char* caught(Work work) {
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    return strdup(error.what());
  }
}

}  // namespace

extern "C" {

// A stream from the device's pool: the default stream cannot be recorded.
char* virel_stream_new(int8_t device, int64_t* stream) {
  return caught([&] { *stream = c10::cuda::getStreamFromPool(false, device).id(); });
}

// Makes it the one that the calling thread's operations go to.
char* virel_stream_use(int8_t device, int64_t stream) {
  return caught([&] {
    c10::cuda::set_device(device);
    c10::cuda::setCurrentCUDAStream(
        c10::cuda::CUDAStream::unpack3(stream, device, c10::DeviceType::CUDA));
  });
}

// From here on the calling thread's operations are recorded and not done.
char* virel_graph_begin(void** graph) {
  return caught([&] {
    auto made = std::make_unique<at::cuda::CUDAGraph>();
    // of this thread alone: others may go on allocating
    made->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    *graph = made.release();
  });
}

char* virel_graph_end(void* graph) {
  return caught([&] { static_cast<at::cuda::CUDAGraph*>(graph)->capture_end(); });
}

// Does what was recorded, behind all that its stream was given before.
char* virel_graph_replay(void* graph) {
  return caught([&] { static_cast<at::cuda::CUDAGraph*>(graph)->replay(); });
}

void virel_graph_free(void* graph) { delete static_cast<at::cuda::CUDAGraph*>(graph); }

}  // extern "C"
