// Package conformance runs what an algorithm declares.
package conformance
