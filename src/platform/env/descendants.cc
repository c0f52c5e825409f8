#include "platform/env/descendants.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bitset>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace lifeboat {
namespace {

struct Row {
    pid_t pid = 0;
    pid_t parent = 0;
};

constexpr std::size_t rows_max = 65536;      // what does not fit is seen when these are gone
constexpr std::size_t pids_max = 4'194'304;  // the kernel's upper bound of pid_max

// Zero pages until a supervisor, a process of its own with one thread, touches them.
std::array<Row, rows_max> rows;
std::bitset<pids_max> below;

/// The kernel's linux_dirent64, which no header declares.
struct DirectoryEntry {
    std::uint64_t inode;
    std::int64_t next;
    std::uint16_t length;
    std::uint8_t type;
    char name[1];
};

pid_t read_number(const char*& text) {
    pid_t number = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
        if (number > static_cast<pid_t>(pids_max)) return -1;
        number = number * 10 + (*text - '0');
    }
    return number;
}

/// The parent of `pid`; -1 when it has ended, as a zombie has.
pid_t read_parent(int proc, const char* pid) {
    char path[32];
    const std::size_t length = std::strlen(pid);
    if (length > 16) return -1;
    std::memcpy(path, pid, length);
    std::memcpy(path + length, "/stat", 6);
    const int file = ::openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    char text[512];
    const ssize_t count = ::read(file, text, sizeof text - 1);
    ::close(file);
    if (count <= 0) return -1;
    text[count] = '\0';
    const char* close = std::strrchr(text, ')');  // the name may hold parentheses itself
    if (close == nullptr || close + 4 >= text + count) return -1;
    if (close[2] == 'Z' || close[2] == 'X') return -1;
    const char* parent = close + 4;
    return read_number(parent);
}

std::size_t read_rows() {
    const int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) return 0;
    std::size_t count = 0;
    alignas(DirectoryEntry) char buffer[8192];
    for (;;) {
        const long filled = ::syscall(SYS_getdents64, proc, buffer, sizeof buffer);
        if (filled <= 0) break;
        for (long at = 0; at < filled && count < rows_max;) {
            const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
            at += entry->length;
            const char* digits = entry->name;
            const pid_t pid = read_number(digits);
            if (pid <= 0 || *digits != '\0') continue;
            const pid_t parent = read_parent(proc, entry->name);
            if (parent >= 0) rows[count++] = Row{.pid = pid, .parent = parent};
        }
    }
    ::close(proc);
    return count;
}

bool is_below(pid_t pid) {
    return pid > 0 && static_cast<std::size_t>(pid) < pids_max &&
           below[static_cast<std::size_t>(pid)];
}

}  // namespace

int signal_descendants(int signal_number) {
    const pid_t self = ::getpid();
    const std::size_t count = read_rows();
    below.reset();
    // Children may be listed before their parents: until a round finds nothing new.
    for (bool found = true; found;) {
        found = false;
        for (std::size_t i = 0; i < count; ++i) {
            const Row& row = rows[i];
            if (row.pid == self || is_below(row.pid)) continue;
            if (row.parent != self && !is_below(row.parent)) continue;
            below[static_cast<std::size_t>(row.pid)] = true;
            found = true;
        }
    }
    int signalled = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (is_below(rows[i].pid) && ::kill(rows[i].pid, signal_number) == 0) ++signalled;
    }
    return signalled;
}

}  // namespace lifeboat
