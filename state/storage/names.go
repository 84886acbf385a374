package storage

import (
	"fmt"
	"strconv"
	"strings"

	"weir/id"
)

// Names on disk. The parts of a key become directories, the last one a file:
// chk/2.7/t3 is chk/2.7/t3.obj, the log log/c5 is the directory log/c5.log.
// Directories of Dir itself begin with a dot, which no escaped part does.
const (
	objectSuffix  = ".obj"
	logSuffix     = ".log"
	segmentSuffix = ".seg"
	trimSuffix    = ".trim"
	fenceSuffix   = ".fence"
	tempSuffix    = ".tmp"
	tempDir       = ".tmp"
	fenceDir      = ".fences"
)

// escape makes one part of a key a file name. A dot stays only inside and
// before a digit, so that no part ends in one of our suffixes or hides itself.
func escape(part string) string {
	for i := 0; i < len(part); i++ {
		if !plain(part, i) {
			return escapeFrom(part, i)
		}
	}
	return part
}

func escapeFrom(part string, i int) string {
	b := append(make([]byte, 0, len(part)+8), part[:i]...)
	for ; i < len(part); i++ {
		if plain(part, i) {
			b = append(b, part[i])
		} else {
			b = fmt.Appendf(b, "%%%02X", part[i])
		}
	}
	return string(b)
}

func plain(part string, i int) bool {
	switch c := part[i]; {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '=':
		return true
	case c == '.':
		return i > 0 && i+1 < len(part) && '0' <= part[i+1] && part[i+1] <= '9'
	}
	return false
}

// unescape is the inverse of escape; ok is false for names that are not ours.
func unescape(name string) (part string, ok bool) {
	if strings.IndexByte(name, '%') < 0 {
		return name, name != "" && escape(name) == name
	}
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b = append(b, name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		c, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b = append(b, byte(c))
		i += 2
	}
	part = string(b)
	return part, escape(part) == name
}

// segmentName sorts by attempt, then number.
func segmentName(a id.Attempt, num uint64) string {
	return fmt.Sprintf("%010d-%010d%s", a, num, segmentSuffix)
}

func parseSegmentName(name string) (a id.Attempt, num uint64, ok bool) {
	base, isSegment := strings.CutSuffix(name, segmentSuffix)
	left, right, two := strings.Cut(base, "-")
	if !isSegment || !two {
		return 0, 0, false
	}
	x, err1 := strconv.ParseUint(left, 10, 32)
	num, err2 := strconv.ParseUint(right, 10, 64)
	return id.Attempt(x), num, err1 == nil && err2 == nil
}

func trimName(to id.Seq) string { return fmt.Sprintf("%020d%s", to, trimSuffix) }

func parseTrimName(name string) (id.Seq, bool) {
	base, isTrim := strings.CutSuffix(name, trimSuffix)
	to, err := strconv.ParseUint(base, 10, 64)
	return id.Seq(to), isTrim && err == nil
}

func fenceName(prefix string, a id.Attempt) string {
	return fmt.Sprintf("%s-%010d%s", escape(prefix), a, fenceSuffix)
}

func parseFenceName(name string) (prefix string, a id.Attempt, ok bool) {
	base, isFence := strings.CutSuffix(name, fenceSuffix)
	i := strings.LastIndexByte(base, '-')
	if !isFence || i < 0 {
		return "", 0, false
	}
	x, err := strconv.ParseUint(base[i+1:], 10, 32)
	if err != nil {
		return "", 0, false
	}
	if i == 0 {
		return "", id.Attempt(x), true
	}
	prefix, ok = unescape(base[:i])
	return prefix, id.Attempt(x), ok
}
