// A row has the same bits alone as among others.
#pragma once

#include "problem.h"

namespace softmax_fuzz {

/// Runs the checked row of a call, whose results are there, as a call of its own. Its 16-bit results are
/// float32 then: rounded they must be the same. Not for the Jacobian.
void checkAlone(Input& input, const Problem& problem, const SoftmaxCall& call);

}  // namespace softmax_fuzz
