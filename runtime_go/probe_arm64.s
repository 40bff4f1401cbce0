//go:build trace && !functrace_safe

#include "textflag.h"

// func frame() (gp uintptr, id uint64, pc uintptr, now uint64)
//
// Go calls assembly of its own package without a wrapper, so R29 still points
// into the caller's frame, at its saved R29; above that is its return address.
TEXT ·frame(SB), NOSPLIT|NOFRAME, $0-32
	MOVD  ·goidOffset(SB), R1
	MOVD  (g)(R1), R2
	MOVD  8(R29), R3
	MOVD  g, gp+0(FP)
	MOVD  R2, id+8(FP)
	MOVD  R3, pc+16(FP)
	MOVBU ·counter(SB), R5
	CBZ   R5, done
	MRS   CNTVCT_EL0, R4
	MOVD  R4, now+24(FP)
done:
	RET

// func state() (gp uintptr, now uint64, panicking uintptr)
TEXT ·state(SB), NOSPLIT|NOFRAME, $0-24
	MOVD  ·panicOffset(SB), R1
	MOVD  (g)(R1), R2
	MOVD  g, gp+0(FP)
	MOVD  R2, panicking+16(FP)
	MOVBU ·counter(SB), R3
	CBZ   R3, done
	MRS   CNTVCT_EL0, R4
	MOVD  R4, now+8(FP)
done:
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
// Arm Architecture Reference Manual: the generic timer always does.
TEXT ·countsEvenly(SB), NOSPLIT|NOFRAME, $0-1
	MOVD $1, R1
	MOVB R1, ret+0(FP)
	RET
