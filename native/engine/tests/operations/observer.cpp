// libtorch's own observer of operations, with a C interface. It sees what the dispatcher sees: every operation that was
// called, and those that an operation calls in turn.
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <sstream>
#include <string>

namespace {

using Observer = void (*)(void *context, const char *name, const char *numbers);

thread_local Observer observer = nullptr;
thread_local void *observer_context = nullptr;

// every number among the arguments, to the last bit; tensors are left out
std::string numbers(const at::RecordFunction &function) {
  std::ostringstream text;
  text << std::hexfloat;
  for (const c10::IValue &value : function.inputs()) {
    if (value.isInt()) text << value.toInt() << ' ';
    if (value.isBool()) text << value.toBool() << ' ';
    if (value.isDouble()) text << value.toDouble() << ' ';
    if (value.isIntList()) {
      for (const int64_t each : value.toIntVector()) text << each << ' ';
    }
  }
  return text.str();
}

std::unique_ptr<at::ObserverContext> begins(const at::RecordFunction &function) {
  observer(observer_context, function.name(), numbers(function).c_str());
  return nullptr;
}

void ends(const at::RecordFunction &, at::ObserverContext *) { observer(observer_context, nullptr, nullptr); }

}  // namespace

// Calls `with` on this thread at the beginning of every operation, and with null names at its end.
extern "C" uint64_t virel_observe(Observer with, void *context) {
  observer = with;
  observer_context = context;
  return at::addThreadLocalCallback(
      at::RecordFunctionCallback(begins, ends).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
}

extern "C" void virel_stop_observing(uint64_t handle) { at::removeCallback(handle); }
