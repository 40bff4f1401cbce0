//go:build trace && go1.21 && unix && !linux

package functrace

func identityOf(number int) (identity, error) { return identityByFstat(number) }
