// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "net/ready_op.h"
#include "pingora/net/unique_fd.h"

namespace pingora::internal {
namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: what is half written is of no use. IN_ATTRIB: a file becomes readable.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                  IN_ONLYDIR;
// As many symbolic links on the way as the kernel follows.
constexpr int kLinksMax = 40;

FileWatch::Names& names_in(FileWatch::Plan& plan, const std::string& directory) {
  return plan[directory.empty() ? "." : directory];
}

// The name of each link on the way is watched in the directory that it is in, and the way goes on
// behind it.
void add_path(FileWatch::Plan& plan, const std::string& path, int links_left) {
  fs::path behind;
  const fs::path whole(path);
  for (auto part = whole.begin(); part != whole.end(); ++part) {
    const fs::path directory = behind;
    behind /= *part;
    const bool is_last = std::next(part) == whole.end();
    std::error_code error;
    const bool is_link = fs::is_symlink(behind, error);
    if (is_last || is_link) names_in(plan, directory.string()).names.insert(part->string());
    if (!is_link || links_left == 0) continue;
    fs::path target = fs::read_symlink(behind, error);
    if (error) return;
    fs::path rest = directory / target;  // an absolute target replaces it
    while (++part != whole.end()) rest /= *part;
    return add_path(plan, rest.string(), links_left - 1);
  }
}

}  // namespace

Result<std::unique_ptr<FileWatch>> FileWatch::create(Worker& worker) {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.is_valid()) {
    return std::unexpected(Error::from_errno(ErrorType::InternalError, errno, "inotify"));
  }
  return std::make_unique<FileWatch>(Descriptor(worker, fd.release()));
}

FileWatch::Plan FileWatch::plan(const std::vector<std::string>& files,
                                const std::vector<std::string>& directories) {
  Plan plan;
  for (const std::string& file : files) add_path(plan, file, kLinksMax);
  for (const std::string& directory : directories) {
    add_path(plan, directory, kLinksMax);
    names_in(plan, directory).all = true;
  }
  return plan;
}

bool FileWatch::watch(Plan plan) {
  is_incomplete_ = false;
  std::map<int, Names> watched;
  for (auto& [directory, names] : plan) {
    int descriptor = ::inotify_add_watch(descriptor_.fd(), directory.c_str(), kEvents);
    if (descriptor < 0) {
      is_incomplete_ = true;
      continue;
    }
    // Two ways to one directory have one descriptor.
    Names& into = watched[descriptor];
    into.all = into.all || names.all;
    into.names.merge(names.names);
    if (into.all) into.names.clear();
  }
  for (const auto& [descriptor, names] : watched_) {
    if (!watched.contains(descriptor)) ::inotify_rm_watch(descriptor_.fd(), descriptor);
  }
  watched_.swap(watched);
  return watched_ != watched;
}

bool FileWatch::take_changes() {
  bool has_changed = false;
  alignas(inotify_event) char events[16 * 1024];
  for (;;) {
    ssize_t got = ::read(descriptor_.fd(), events, sizeof(events));
    if (got <= 0) return has_changed;  // EAGAIN, that is
    for (const char* at = events; at < events + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof(event));
      const char* name = event.len != 0 ? at + sizeof(event) : "";
      at += sizeof(event) + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) has_changed = true;
      auto found = watched_.find(event.wd);
      if (found == watched_.end()) continue;
      const Names& names = found->second;
      // Without a name it is about the directory itself.
      if (event.len == 0 || names.all || names.names.contains(std::string_view(name))) {
        has_changed = true;
      }
    }
  }
}

Task<bool> FileWatch::wait(TimePoint deadline) {
  for (;;) {
    bool is_ready = co_await ReadyOp(descriptor_, Direction::Read, deadline);
    if (take_changes()) co_return true;
    if (!is_ready) co_return false;
  }
}

}  // namespace pingora::internal
