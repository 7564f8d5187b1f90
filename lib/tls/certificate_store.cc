// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/certificate_store.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "pingora/base/log.h"
#include "pingora/base/snapshot.h"
#include "pingora/runtime/async_mutex.h"
#include "pingora/runtime/offload.h"
#include "pingora/runtime/timer.h"
#include "tls/certificate_index.h"
#include "tls/certificate_source.h"
#include "tls/file_watch.h"

namespace pingora {
namespace {

using internal::CertificateIndex;
using internal::CertificateSource;
using internal::FileWatch;

// How long a change waits for others that belong to it: a certificate and its key are two files.
constexpr auto kGather = std::chrono::milliseconds(200);
// How often a directory that was not there is looked for.
constexpr auto kLookAgain = std::chrono::seconds(1);

}  // namespace

struct CertificateStore::State {
  void publish();
  Result<void> add(CertificateSource source);
  Result<void> reload();
  FileWatch::Plan watch_plan();

  internal::Snapshot<CertificateIndex> index{std::make_unique<const CertificateIndex>()};
  std::mutex mutex;  // guards sources, and what is published against an older one
  std::vector<CertificateSource> sources;
  std::atomic<std::uint64_t> reloads{0};
  std::atomic<std::uint64_t> failures{0};
  AsyncMutex watching;
};

// Under the mutex.
void CertificateStore::State::publish() {
  auto next = std::make_unique<CertificateIndex>();
  for (const CertificateSource& source : sources) {
    for (const CertificateSource::Loaded& loaded : source.loaded()) next->add(loaded.certificate);
  }
  index.replace(std::move(next));
}

Result<void> CertificateStore::State::add(CertificateSource source) {
  if (Result<void> loaded = source.load(); !loaded) return loaded;
  std::lock_guard lock(mutex);
  sources.push_back(std::move(source));
  publish();
  return {};
}

Result<void> CertificateStore::State::reload() {
  CertificateSource::Failures failed;
  std::lock_guard lock(mutex);
  for (CertificateSource& source : sources) source.reload(failed);
  publish();
  reloads.fetch_add(1, std::memory_order_relaxed);
  failures.fetch_add(failed.count, std::memory_order_relaxed);
  if (!failed.errors.empty()) return fail(std::move(failed.errors.front()));
  return {};
}

FileWatch::Plan CertificateStore::State::watch_plan() {
  std::vector<std::string> files;
  std::vector<std::string> directories;
  {
    std::lock_guard lock(mutex);
    for (const CertificateSource& source : sources) {
      if (!source.directory().empty()) directories.push_back(source.directory());
      for (const CertificateSource::Loaded& loaded : source.loaded()) {
        const CertificateFiles& of_one = loaded.files;
        for (const std::string* file : {&of_one.certificate, &of_one.key, &of_one.ocsp}) {
          if (!file->empty()) files.push_back(*file);
        }
      }
    }
  }
  return FileWatch::plan(files, directories);
}

CertificateStore::CertificateStore() : state_(std::make_shared<State>()) {}
CertificateStore::~CertificateStore() = default;

void CertificateStore::add(Certificate::Ptr certificate) {
  [[maybe_unused]] Result<void> added = state_->add(CertificateSource(std::move(certificate)));
}

Result<void> CertificateStore::add_files(CertificateFiles files) {
  return state_->add(CertificateSource(std::move(files)));
}

Result<void> CertificateStore::add_directory(std::string path) {
  if (path.empty()) path = ".";
  return state_->add(CertificateSource(std::move(path)));
}

Result<void> CertificateStore::reload() { return state_->reload(); }

Task<> CertificateStore::watch() {
  std::shared_ptr<State> state = state_;
  [[maybe_unused]] auto turn = co_await state->watching.lock();
  Strand& strand = co_await current_strand();
  auto watch = co_await FileWatch::create(strand.worker());
  watch->watch(co_await offload([state] { return state->watch_plan(); }));
  bool is_settled = true;  // what is watched was watched while the files were read
  for (;;) {
    if (is_settled) {
      const TimePoint deadline = watch->is_incomplete() ? Clock::now() + kLookAgain : kNever;
      const bool has_changed = co_await watch->wait(deadline);
      if (has_changed) co_await sleep_for(kGather);
      watch->take_changes();
      // Before reading: what changes from here on is noticed. Links may lead elsewhere now, and
      // what was missing may have come.
      const bool is_elsewhere =
          watch->watch(co_await offload([state] { return state->watch_plan(); }));
      if (!has_changed && !is_elsewhere) continue;
    }
    // There may be more files in a directory now, or a directory in place of another one, which
    // nobody watched: then they are read again.
    is_settled = !watch->watch(co_await offload([state] {
      [[maybe_unused]] bool is_good = state->reload().has_value();  // logged; the old stays
      return state->watch_plan();
    }));
  }
}

Certificate::Ptr CertificateStore::find(std::string_view server_name, AcceptedKeys accepted) const {
  return state_->index.read()->find(server_name, accepted);
}

Certificate::Ptr CertificateStore::default_certificate(AcceptedKeys accepted) const {
  return state_->index.read()->default_certificate(accepted);
}

CertificateStore::Stats CertificateStore::stats() const {
  return {.certificates = state_->index.read()->size(),
          .reloads = state_->reloads.load(std::memory_order_relaxed),
          .failures = state_->failures.load(std::memory_order_relaxed)};
}

}  // namespace pingora
