// Package algorithmstest holds what is tested of every algorithm alike, from
// its declared properties, and skeletons of the families that the contract must
// be able to express (docs/rfcs/0001-algorithm-contract.md).
package algorithmstest
