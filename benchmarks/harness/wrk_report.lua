-- Copyright 2026 The Pingora C++ Authors
-- SPDX-License-Identifier: Apache-2.0
--
-- Ends a run of wrk with one line that the harness reads. Answers of 400 and above are errors, as
-- are lost connections and time-outs.
function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format('report {"requests": %d, "us": %d, "bytes": %d, "p99_us": %d, "errors": %d}',
    summary.requests, summary.duration, summary.bytes, latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
