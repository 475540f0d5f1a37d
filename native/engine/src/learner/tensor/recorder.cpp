// libtorch's streams of CUDA, and its recording of what they are given as a graph, as plain functions, since tch wraps none of it. A
// library of its own: it needs libtorch's CUDA half, which is loaded only where a GPU is asked for. A function returns null, or a
// message that the caller frees.

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAException.h>
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

c10::cuda::CUDAStream stream_of(int8_t device, int64_t stream) {
  return c10::cuda::CUDAStream::unpack3(stream, device, c10::DeviceType::CUDA);
}

}  // namespace

extern "C" {

// A stream that is in no pool: libtorch gives those of its own to several. It waits for nothing of the default stream, which cannot
// be recorded.
char* virel_stream_new(int8_t device, int64_t* stream) {
  return caught([&] {
    c10::cuda::set_device(device);
    cudaStream_t made = nullptr;
    C10_CUDA_CHECK(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    *stream = c10::cuda::getStreamFromExternal(made, device).id();
  });
}

// Makes it the one that the calling thread's operations go to.
char* virel_stream_use(int8_t device, int64_t stream) {
  return caught([&] {
    c10::cuda::set_device(device);
    c10::cuda::setCurrentCUDAStream(stream_of(device, stream));
  });
}

// Has what a stream is given from here on wait for what another was given up to here.
char* virel_stream_follow(int8_t device, int64_t stream, int64_t other) {
  return caught([&] {
    c10::cuda::set_device(device);
    cudaEvent_t made = nullptr;
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&made, cudaEventDisableTiming));
    // destroyed at once: what waits for it goes on waiting. libtorch's own needs headers that its wheel has not
    const std::unique_ptr<CUevent_st, decltype(&cudaEventDestroy)> done(made, &cudaEventDestroy);
    C10_CUDA_CHECK(cudaEventRecord(made, stream_of(device, other)));
    C10_CUDA_CHECK(cudaStreamWaitEvent(stream_of(device, stream), made, 0));
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
