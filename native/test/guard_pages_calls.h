// Calls of every operation in every form, on arrays beside unreadable pages.
#pragma once

#include "guard_pages_rows.h"

namespace {

enum class Output { none, own, overX, overY, wide };
enum class Target { none, classes, probabilities };

struct Form {
  std::string name;
  SoftmaxOperation operation;
  bool has_y = false;
  Output output = Output::own;
  Target target = Target::none;
  bool has_weight = false;
  double smoothing = 0.0;
  bool has_addend = false;
  bool is_exponential = false;

  const OperationRow& row() const { return rowOf(operation); }
  bool isSimple() const { return softmax_native::isSimple(row()); }
  /// Of the output of a simple operation.
  Count count() const { return isSimple() ? outputOf(row()).count : Count::perElement; }
};

const Form special_forms[] = {
    {"crossEntropy", SoftmaxOperation::crossEntropy, false, Output::none, Target::classes},
    {"crossEntropy with gradient", SoftmaxOperation::crossEntropy, false, Output::own, Target::classes},
    {"crossEntropy in place, weights", SoftmaxOperation::crossEntropy, false, Output::overX, Target::classes,
     true},
    {"crossEntropy with float64 gradient", SoftmaxOperation::crossEntropy, false, Output::wide,
     Target::classes, true},
    {"crossEntropy smoothed", SoftmaxOperation::crossEntropy, false, Output::none, Target::classes, false,
     0.1},
    {"crossEntropy smoothed, weights, gradient", SoftmaxOperation::crossEntropy, false, Output::own,
     Target::classes, true, 0.1},
    {"crossEntropy of probabilities", SoftmaxOperation::crossEntropy, true, Output::own,
     Target::probabilities},
    {"crossEntropy of probabilities smoothed, weights, float64 gradient", SoftmaxOperation::crossEntropy,
     true, Output::wide, Target::probabilities, true, 0.1},
    {"divergence", SoftmaxOperation::divergence, true, Output::none},
    {"divergence with gradient", SoftmaxOperation::divergence, true},
    {"divergence with gradient and addend", SoftmaxOperation::divergence, true, Output::overX, Target::none,
     false, 0.0, true},
    {"exponential", SoftmaxOperation::softmax, false, Output::own, Target::none, false, 0.0, false, true},
};

/// Those of the simple operations, and the special ones.
inline std::vector<Form> allForms() {
  std::vector<Form> forms;
  for (std::size_t i = 0; i < operationCount; ++i) {
    const OperationRow& row = operations[i];
    if (!isSimple(row)) continue;
    const bool has_y = arrayCount(row) > 2;
    forms.push_back({row.name, operationAt(i), has_y});
    for (std::size_t over = 0; over + 1 < arrayCount(row); ++over)
      if (row.arrays[over].isReplaceable)
        forms.push_back({std::string(row.name) + " over " + row.arrays[over].name, operationAt(i), has_y,
                         over == 0 ? Output::overX : Output::overY});
  }
  forms.insert(forms.end(), std::begin(special_forms), std::end(special_forms));
  return forms;
}

class GuardedCall final : public GuardedRows {
 public:
  GuardedCall() {
    for (GuardedArray* array :
         {&x_, &y_, &out_, &loss_, &log_sum_exp_, &classes_, &weight_, &grad_losses_, &addend_})
      arrays_.push_back(array);
    for (GuardedArray* array : arrays_) guarded_arrays.push_back(array);
  }

  /// Fills the arrays, and lets `reference` say what comes of them. Whether it wrote nothing but its outputs.
  bool prepare(const Form& form, const DTypes& dtypes, const Shape& shape, const SoftmaxKernels& reference);
  /// Exponentials are written in whole vectors.
  void expectVectors(std::size_t lanes) {
    out_.expectUntouched(shape_.length / lanes * lanes, shape_.length);
  }

 private:
  void fill();
  bool isKept() const;
  SoftmaxElements output() const;
  SoftmaxCall call() const;
  void run(const SoftmaxKernels& kernels) const override;
  void runInParts(const SoftmaxKernels& kernels) const;

  GuardedArray x_{"x", most}, y_{"y", most}, out_{"out", most}, loss_{"loss", most},
      log_sum_exp_{"logSumExp", most}, classes_{"classes", most}, weight_{"weight", most},
      grad_losses_{"gradLosses", most}, addend_{"addend", most};
  Form form_{};
};

SoftmaxElements GuardedCall::output() const {
  switch (form_.output) {
    case Output::none:
      return {};
    case Output::overX:
      return {x_.data, dtypes_.x};
    case Output::overY:
      return {y_.data, dtypes_.y};
    case Output::wide:
      return {out_.data, softmaxFloat64};
    case Output::own:
      break;
  }
  const bool is_of_rows = form_.count() == Count::perRow;
  const SoftmaxDType of_row = dtypes_.x == softmaxFloat64 ? softmaxFloat64 : softmaxFloat32;
  const SoftmaxDType dtype = is_of_rows ? of_row : dtypes_.out;
  return {out_.data, form_.isSimple() ? outputDType(form_.row(), dtype) : dtype};
}

SoftmaxCall GuardedCall::call() const {
  const SoftmaxElements x{x_.data, dtypes_.x};
  const SoftmaxElements y = form_.has_y ? SoftmaxElements{y_.data, dtypes_.y} : SoftmaxElements{};
  const auto* grad_losses = grad_losses_.is_used ? reinterpret_cast<double*>(grad_losses_.data) : nullptr;
  if (form_.operation == SoftmaxOperation::crossEntropy) {
    const bool has_classes = form_.target == Target::classes;
    const SoftmaxCrossEntropy problem{x,
                                      has_classes ? reinterpret_cast<std::int32_t*>(classes_.data) : nullptr,
                                      y,
                                      form_.has_weight ? reinterpret_cast<double*>(weight_.data) : nullptr,
                                      form_.smoothing,
                                      loss_.data,
                                      log_sum_exp_.data,
                                      output(),
                                      grad_losses,
                                      0.5};
    return callOf(problem, rows());
  }
  if (form_.operation == SoftmaxOperation::divergence) {
    const auto* addend = form_.has_addend ? reinterpret_cast<double*>(addend_.data) : nullptr;
    const SoftmaxDivergence problem{x,           y,  reinterpret_cast<double*>(loss_.data), output(), addend,
                                    grad_losses, 0.5};
    return callOf(problem, rows());
  }
  SoftmaxCall call = callOf(form_.operation, rows(), {x, y});
  call.arrays[arrayCount(form_.row()) - 1] = output();
  return call;
}

}  // namespace
