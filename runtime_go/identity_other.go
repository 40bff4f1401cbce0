//go:build trace && go1.21 && unix && !linux

package functrace

// identityOf returns the device and inode of an open file.
func identityOf(number int) (identity, error) { return identityByFstat(number) }
