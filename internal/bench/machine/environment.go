package machine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"weir/results"
)

// Environment returns the machine and the program; settings are empty, and what
// cannot be found out.
func Environment(arguments []string) results.Environment {
	e := results.Environment{
		GoVersion: runtime.Version(), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Arguments: arguments, Kernel: kernel(), CPU: cpuModel(), Cores: runtime.NumCPU(),
		CPULimit: cpuLimit(), MemoryBytes: memoryBytes(), MemoryLimit: cgroupNumber("memory.max"),
		Before: Strain(), Settings: map[string]string{},
	}
	e.Commit, e.Dirty = commit()
	if info, ok := debug.ReadBuildInfo(); ok {
		e.Modules = map[string]string{}
		for _, m := range info.Deps {
			e.Modules[m.Path] = m.Version
		}
	}
	return e
}

// commit returns the revision the program was built from: from the build, or
// from the repository it runs in.
func commit() (revision string, dirty bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
	}
	if revision != "" {
		return revision, dirty
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "", false
	}
	status, err := exec.Command("git", "status", "--porcelain").Output()
	return string(bytes.TrimSpace(head)), err != nil || len(status) > 0
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

func cpuModel() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func memoryBytes() int64 {
	data, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// cgroupDir is the control group of this process, version 2.
func cgroupDir() string {
	data, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return filepath.Join("/sys/fs/cgroup", path)
		}
	}
	return "/sys/fs/cgroup"
}

func cgroupNumber(name string) int64 {
	data, err := os.ReadFile(filepath.Join(cgroupDir(), name))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // "max": 0, no limit
	return n
}

func cpuLimit() float64 {
	data, err := os.ReadFile(filepath.Join(cgroupDir(), "cpu.max"))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(data))
	if len(f) != 2 {
		return 0
	}
	quota, err1 := strconv.ParseFloat(f[0], 64)
	period, err2 := strconv.ParseFloat(f[1], 64)
	if err1 != nil || err2 != nil || period <= 0 {
		return 0
	}
	return quota / period
}

// Strain returns how loaded the machine is by others.
func Strain() results.Strain {
	return results.Strain{StealShare: stealShare(), CPUPressure: pressure("cpu"), IOPressure: pressure("io"), MemoryPressure: pressure("memory")}
}

func stealShare() float64 {
	data, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(data), "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0
	}
	total, steal := 0.0, 0.0
	for i, s := range f[1:9] {
		v, _ := strconv.ParseFloat(s, 64)
		total += v
		if i == 7 {
			steal = v
		}
	}
	if total == 0 {
		return 0
	}
	return steal / total
}

func pressure(of string) float64 {
	data, _ := os.ReadFile("/proc/pressure/" + of)
	var average float64
	_, _ = fmt.Sscanf(string(data), "some avg10=%f", &average)
	return average
}
