//go:build trace && !functrace_safe

#include "textflag.h"

// func frame() (gp uintptr, id uint64, pc uintptr)
//
// Go calls assembly of its own package without a wrapper, so R29 still points
// into the caller's frame, at its saved R29; above that is its return address.
TEXT ·frame(SB), NOSPLIT|NOFRAME, $0-24
	MOVD ·goidOffset(SB), R1
	MOVD (g)(R1), R2
	MOVD 8(R29), R3
	MOVD g, gp+0(FP)
	MOVD R2, id+8(FP)
	MOVD R3, pc+16(FP)
	RET
