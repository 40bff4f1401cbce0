//go:build trace && !functrace_safe

// Access to the goroutine, the call site and the processor's counter.

#include "textflag.h"

// func state() (gp uintptr, id uint64, panicking uintptr)
TEXT ·state(SB), NOSPLIT|NOFRAME, $0-24
	MOVQ (TLS), R8
	MOVQ ·goidOffset(SB), BX
	MOVQ (R8)(BX*1), BX
	MOVQ ·panicOffset(SB), CX
	MOVQ (R8)(CX*1), CX
	MOVQ R8, gp+0(FP)
	MOVQ BX, id+8(FP)
	MOVQ CX, panicking+16(FP)
	RET

// func thread() uintptr
TEXT ·thread(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ (TLS), R8
	MOVQ ·mOffset(SB), CX
	MOVQ (R8)(CX*1), CX
	MOVQ CX, ret+0(FP)
	RET

// func callSite() uintptr
//
// Go calls assembly of its own package without a wrapper, so BP still points into the
// caller's frame, at the saved BP of the caller's caller. The word after the one that this
// points to is the return address of the caller's caller.
TEXT ·callSite(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ (BP), BX
	MOVQ 8(BX), BX
	MOVQ BX, ret+0(FP)
	RET

// func readCounter() uint64
TEXT ·readCounter(SB), NOSPLIT|NOFRAME, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func panicArgument() [2]uintptr
TEXT ·panicArgument(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ (TLS), R8
	MOVQ ·panicOffset(SB), CX
	MOVQ (R8)(CX*1), CX
	ADDQ ·argOffset(SB), CX
	MOVQ -8(CX), AX
	MOVQ (CX), BX
	MOVQ AX, ret_0+0(FP)
	MOVQ BX, ret_1+8(FP)
	RET

// func loadWord(address uintptr) uintptr
TEXT ·loadWord(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ address+0(FP), AX
	MOVQ (AX), AX
	MOVQ AX, ret+8(FP)
	RET

// func countsEvenly() bool
//
// AMD64 Architecture Programmer's Manual, volume 3, CPUID Fn8000_0007_EDX[8]: TscInvariant.
TEXT ·countsEvenly(SB), NOSPLIT|NOFRAME, $0-1
	MOVB $0, ret+0(FP)
	MOVL $0x80000000, AX
	XORL CX, CX
	CPUID
	CMPL AX, $0x80000007
	JCS  none
	MOVL $0x80000007, AX
	XORL CX, CX
	CPUID
	SHRL $8, DX
	ANDL $1, DX
	MOVB DX, ret+0(FP)
none:
	RET
