// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "pingora/base/intrusive_list.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/strand.h"

namespace pingora::internal {

/// The sessions of an endpoint, or what they are on, so that a shutdown reaches each in its strand.
class ConnectionSet {
 public:
  /// A session that is in the set as long as this lives; in its strand.
  class Member : ListHook {
   public:
    /// `Session` has `begin_shutdown`.
    template <class Session>
    Member(ConnectionSet& set, Strand& strand, Session& session)
        : set_(set), strand_(strand), end_job_(session) {
      std::lock_guard lock(set_.mutex_);
      set_.members_.push_back(*this);
      if (set_.is_shutting_down_) strand_.post(end_job_);
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    // Behind the lock nobody posts it any more; what was posted before is taken out.
    ~Member() {
      {
        std::lock_guard lock(set_.mutex_);
        unlink();
      }
      strand_.remove(end_job_);
    }

   private:
    friend class ConnectionSet;
    friend class IntrusiveList<Member>;
    struct EndJob : Job {
      template <class Session>
      explicit EndJob(Session& ended)
          : Job([](Job& job) {
              static_cast<Session*>(static_cast<EndJob&>(job).session)->begin_shutdown();
            }),
            session(&ended) {}
      void* session;
    };

    ConnectionSet& set_;
    Strand& strand_;
    EndJob end_job_;
  };

  /// Calls `begin_shutdown` of all that are in the set, and of each that comes.
  void begin_shutdown() {
    std::lock_guard lock(mutex_);
    if (is_shutting_down_) return;
    is_shutting_down_ = true;
    for (Member* member = members_.front(); member != nullptr; member = members_.next(*member)) {
      member->strand_.post(member->end_job_);
    }
  }

 private:
  Mutex mutex_;  // guards the two below
  IntrusiveList<Member> members_;
  bool is_shutting_down_ = false;
};

}  // namespace pingora::internal
