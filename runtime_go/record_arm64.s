//go:build trace && !functrace_safe

// Fast path of recording entries and exits. Every check that fails leaves the call to the Go code.

#include "go_asm.h"
#include "textflag.h"

// The multiplier of the function hash.
#define MULTIPLIER $0x9e3779b97f4a7c15

// The parts of a switch record's head that are the same for all.
#define SWITCH_HEAD $(const_recordWord|const_switchRecord<<2|8<<8)

// WRITER expects a track in R12 and its recording in R11. It sets R9 to the writer of the track's latest
// word. It jumps to moved, with the thread in R1, unless that is the writer's latest word, too, and the
// goroutine has not left the writer's thread.
#define WRITER \
	MOVD ·mOffset(SB), R1               \
	MOVD (g)(R1), R1                    \
	MOVD trackRecording_writer(R11), R9 \
	MOVD (writer_writerLink+writerLink_thread)(R9), R2          \
	CMP  R1, R2                         \
	BNE  moved                          \
	MOVD writer_current(R9), R2         \
	CMP  R12, R2                        \
	BNE  moved

// SWITCH follows WRITER at moved. It sets R9 to the thread's writer and stores a switch record there. It
// jumps to done if more than that record is needed.
#define SWITCH \
	MOVD  MULTIPLIER, R10                         \
	MUL   R1, R10                                 \
	LSR   $32, R10                                \
	AND   $(const_writerBuckets-1), R10           \
	MOVD  $·writersByThread(SB), R9               \
	MOVD  (R9)(R10<<3), R9                        \
	CBZ   R9, done                                \
	MOVD  (writer_writerLink+writerLink_thread)(R9), R2                   \
	CMP   R1, R2                                  \
	BNE   done                                    \
	MOVBU trackRecording_hasTrackRecord(R11), R2  \
	CBZ   R2, done                                \
	MOVBU trackRecording_hasGap(R11), R2          \
	CBNZ  R2, done                                \
	MOVD  ·rec+recorder_position(SB), R0          \
	MOVD  trackRecording_listedAt(R11), R2        \
	SUB   R2, R0                                  \
	MOVD  ·rec+recorder_listAfter(SB), R2         \
	CMP   R2, R0                                  \
	BGT   done                                    \
	MOVD  trackRecording_depth(R11), R6           \
	MOVD  $const_maxOpenInRun, R2                 \
	CMP   R2, R6                                  \
	BGT   done                                    \
	MOVD  writer_used(R9), R4                     \
	ADD   $const_switchRecordWords, R4, R0        \
	MOVD  writer_limit(R9), R2                    \
	CMP   R2, R0                                  \
	BGT   done                                    \
	MOVWU trackRecording_run(R11), R0             \
	ADD   $1, R0                                  \
	AND   $const_maxRun, R0                       \
	MOVW  R0, trackRecording_run(R11)             \
	ORR   R6<<const_openInRunBits, R0             \
	LSL   $const_recordValueShift, R0             \
	MOVD  SWITCH_HEAD, R2                         \
	ORR   R2, R0                                  \
	MOVD  writer_words(R9), R2                    \
	ADD   R4<<3, R2                               \
	MOVD  track_id(R12), R6                       \
	MOVD  R6, 8(R2)                               \
	STLR  R0, (R2)                                \
	ADD   $const_switchRecordWords, R4            \
	MOVD  R4, writer_used(R9)                     \
	MOVD  R12, writer_current(R9)                 \
	MOVD  R9, trackRecording_writer(R11)

// TIME expects a writer in R9. It sets R5 to the ticks (the argument or, if that is 0, the counter), R6 to
// the ticks since the chunk's base, and R4 to the index of the next word. It jumps to done if the chunk is
// full or the base is too old.
#define TIME(given) \
	MOVD writer_used(R9), R4           \
	MOVD writer_limit(R9), R2          \
	CMP  R2, R4                        \
	BGE  done                          \
	MOVD given, R5                     \
	CBNZ R5, 2(PC)                     \
	MRS  CNTVCT_EL0, R5                \
	MOVD writer_base(R9), R2           \
	SUB  R2, R5, R6                    \
	LSR  $(64-const_timeShift), R6, R2 \
	CBNZ R2, done

// PUT stores a word of that kind for the ticks in R6 and the function in R7.
#define PUT(kind) \
	LSL  $const_timeShift, R6          \
	ORR  R7<<const_functionShift, R6   \
	ORR  $kind, R6                     \
	MOVD writer_words(R9), R2          \
	MOVD R6, (R2)(R4<<3)               \
	ADD  $1, R4                        \
	MOVD R4, writer_used(R9)

// func recordEntry(now uint64) *track
//
// R29 still points into the caller's frame, so 8(R29) contains the caller's return address. Nothing is
// stored before all checks have passed. A demoted function's match is the complement of the address.
TEXT ·recordEntry(SB), NOSPLIT|NOFRAME, $0-16
	MOVD  ZR, ret+8(FP)
	MOVBU ·usesFastPath(SB), R0
	CBZ   R0, done
	MOVD  8(R29), R9
	MOVD  MULTIPLIER, R10
	MUL   g, R10, R0
	LSR   $32, R0
	AND   $(const_trackBuckets-1), R0
	MOVD  $·tracksByG(SB), R11
	MUL   R9, R10
	LSR   $32, R10
	AND   $(const_recentSize-1), R10
	MOVD  $·recentFunctions(SB), R12
	MOVD  (R12)(R10<<3), R13          // the function
	CBZ   R13, done
	MOVD  function_match(R13), R2
	CMP   R9, R2
	BNE   other
	MOVD  (R11)(R0<<3), R12           // the track
	CBZ   R12, done
	MOVD  ·goidOffset(SB), R1
	MOVD  (g)(R1), R1
	MOVD  track_id(R12), R2
	CMP   R1, R2
	BNE   done
	ADD   $track_trackRecording, R12, R11
	MOVD  trackRecording_depth(R11), R3
	MOVD  trackRecording_open+8(R11), R2
	CMP   R2, R3
	BGE   done
	WRITER

write:
	TIME(now+0(FP))
	MOVD  function_number(R13), R7
	PUT(const_entryWord)
	MOVD  trackRecording_open(R11), R2
	ADD   R3<<4, R2                   // openCall__size
	MOVD  R5, openCall_entered(R2)
	MOVD  R7, openCall_function(R2)
	ADD   $1, R3
	MOVD  R3, trackRecording_depth(R11)
	MOVD  R12, ret+8(FP)

done:
	RET

moved:
	SWITCH
	JMP write

other:
	MVN  R9, R9
	CMP  R9, R2
	BNE  done
	MOVD function_absent(R13), R12
	MOVD R12, ret+8(FP)
	RET

// func recordExit(t *track, now uint64) bool
//
// Nothing is stored for a call of a demoted function that no panic ends.
TEXT ·recordExit(SB), NOSPLIT|NOFRAME, $0-17
	MOVB  ZR, ret+16(FP)
	MOVBU ·usesFastPath(SB), R0
	CBZ   R0, done
	MOVD  t+0(FP), R12
	MOVD  (track_trackLink+trackLink_g)(R12), R1
	CMP   g, R1
	BNE   other
	MOVD  ·panicOffset(SB), R1
	MOVD  (g)(R1), R1
	CBNZ  R1, done
	ADD   $track_trackRecording, R12, R11
	MOVD  trackRecording_pendingError(R11), R1
	CBNZ  R1, done
	MOVD  trackRecording_depth(R11), R3
	SUBS  $1, R3
	BLT   done
	WRITER

write:
	TIME(now+8(FP))
	MOVD  trackRecording_open(R11), R2
	ADD   R3<<4, R2                   // openCall__size
	MOVD  openCall_function(R2), R7
	PUT(const_exitWord)
	MOVD  R3, trackRecording_depth(R11)
	MOVD  $1, R1
	MOVB  R1, ret+16(FP)

done:
	RET

moved:
	SWITCH
	JMP write

other:
	MOVD track_absent(R12), R1
	CBZ  R1, done
	MOVD ·panicOffset(SB), R1
	MOVD (g)(R1), R1
	CBNZ R1, done
	MOVD $1, R1
	MOVB R1, ret+16(FP)
	RET
