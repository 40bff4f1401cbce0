//go:build trace && !functrace_safe

// Access to the goroutine, the call site and the processor's counter.

#include "textflag.h"

// func state() (gp uintptr, id uint64, panicking uintptr)
TEXT ·state(SB), NOSPLIT|NOFRAME, $0-24
	MOVD ·goidOffset(SB), R1
	MOVD (g)(R1), R2
	MOVD ·panicOffset(SB), R3
	MOVD (g)(R3), R4
	MOVD g, gp+0(FP)
	MOVD R2, id+8(FP)
	MOVD R4, panicking+16(FP)
	RET

// func thread() uintptr
TEXT ·thread(SB), NOSPLIT|NOFRAME, $0-8
	MOVD ·mOffset(SB), R1
	MOVD (g)(R1), R1
	MOVD R1, ret+0(FP)
	RET

// func callSite() uintptr
//
// Go calls assembly of its own package without a wrapper, so R29 still points into the
// caller's frame, at the saved R29 of the caller's caller. The word after the one that this
// points to is the return address of the caller's caller.
TEXT ·callSite(SB), NOSPLIT|NOFRAME, $0-8
	MOVD (R29), R1
	MOVD 8(R1), R1
	MOVD R1, ret+0(FP)
	RET

// func readCounter() uint64
TEXT ·readCounter(SB), NOSPLIT|NOFRAME, $0-8
	MRS  CNTVCT_EL0, R0
	MOVD R0, ret+0(FP)
	RET

// func panicArgument() [2]uintptr
TEXT ·panicArgument(SB), NOSPLIT|NOFRAME, $0-16
	MOVD ·panicOffset(SB), R1
	MOVD (g)(R1), R2
	MOVD ·argOffset(SB), R1
	ADD  R1, R2
	MOVD -8(R2), R3
	MOVD (R2), R4
	MOVD R3, ret_0+0(FP)
	MOVD R4, ret_1+8(FP)
	RET

// func loadWord(address uintptr) uintptr
TEXT ·loadWord(SB), NOSPLIT|NOFRAME, $0-16
	MOVD address+0(FP), R1
	MOVD (R1), R2
	MOVD R2, ret+8(FP)
	RET

// func countsEvenly() bool
//
// Arm Architecture Reference Manual: the generic timer has a constant rate.
TEXT ·countsEvenly(SB), NOSPLIT|NOFRAME, $0-1
	MOVD $1, R1
	MOVB R1, ret+0(FP)
	RET
