//go:build trace && !functrace_safe

#include "textflag.h"

// func frame() (gp uintptr, id uint64, pc uintptr)
//
// Go calls assembly of its own package without a wrapper, so BP still points
// into the caller's frame, at its saved BP; above that is its return address.
TEXT ·frame(SB), NOSPLIT|NOFRAME, $0-24
	MOVQ (TLS), AX
	MOVQ ·goidOffset(SB), CX
	ADDQ AX, CX
	MOVQ (CX), CX
	MOVQ 8(BP), BX
	MOVQ AX, gp+0(FP)
	MOVQ CX, id+8(FP)
	MOVQ BX, pc+16(FP)
	RET
