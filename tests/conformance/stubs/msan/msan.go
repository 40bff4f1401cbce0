// Package msan stands in for the internal one.
package msan

const Enabled = false
