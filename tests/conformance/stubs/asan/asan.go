// Package asan stands in for the internal one.
package asan

const Enabled = false
