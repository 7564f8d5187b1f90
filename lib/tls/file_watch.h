// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/task.h"

namespace pingora::internal {

/// Notices changes of files: written, replaced by renaming, removed, put behind another symbolic
/// link, of any directory on the way too. By inotify on the directories that they are in, so that
/// what replaces a file is noticed as well. Belongs to one strand.
class FileWatch {
 public:
  /// Waits in `worker`. Errors: InternalError, where the system gives no inotify instance.
  static Result<std::unique_ptr<FileWatch>> create(Worker& worker);
  explicit FileWatch(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

  /// Which names matter in a directory.
  struct Names {
    std::set<std::string, std::less<>> names;
    bool all = false;

    bool operator==(const Names&) const = default;
  };
  using Plan = std::map<std::string, Names>;
  /// Where to look for changes of these files, and of everything in these directories. Reads the
  /// links on the way, and so may block.
  static Plan plan(const std::vector<std::string>& files,
                   const std::vector<std::string>& directories);
  /// Watches what is in `plan`, in place of what it watched. Returns whether that is anything else,
  /// also another directory of the same name.
  bool watch(Plan plan);
  /// Whether there was a directory that could not be watched, such as one that is not there.
  bool is_incomplete() const noexcept { return is_incomplete_; }

  /// Waits until something has changed: true; or `deadline`: false.
  Task<bool> wait(TimePoint deadline);
  /// Forgets what has changed until now. Returns whether anything had.
  bool take_changes();

 private:
  Descriptor descriptor_;
  std::map<int, Names> watched_;  // by watch descriptor
  bool is_incomplete_ = false;
};

}  // namespace pingora::internal
