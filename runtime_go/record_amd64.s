//go:build trace && !functrace_safe

// Fast path of recording entries and exits. Every check that fails leaves the call to the Go code.

#include "go_asm.h"
#include "textflag.h"

// The multiplier of the function hash.
#define MULTIPLIER $0x9e3779b97f4a7c15

// The parts of a switch record's head that are the same for all.
#define SWITCH_HEAD $(const_recordWord|const_switchRecord<<2|8<<8)

// WRITER expects g in R8, a track in R12 and its recording in R11. It sets R9 to the writer of the track's
// latest word. It jumps to moved, with the thread in CX, unless that is the writer's latest word, too, and
// the goroutine has not left the writer's thread.
#define WRITER \
	MOVQ ·mOffset(SB), CX                \
	MOVQ (R8)(CX*1), CX                  \
	MOVQ trackRecording_writer(R11), R9  \
	CMPQ (writer_writerLink+writerLink_thread)(R9), CX           \
	JNE  moved                           \
	CMPQ writer_current(R9), R12         \
	JNE  moved

// SWITCH follows WRITER at moved. It sets R9 to the thread's writer and stores a switch record there. It
// jumps to done if more than that record is needed.
#define SWITCH \
	MOVQ  MULTIPLIER, R10                              \
	IMULQ CX, R10                                      \
	SHRQ  $32, R10                                     \
	ANDL  $(const_writerBuckets-1), R10                \
	LEAQ  ·writersByThread(SB), R9                     \
	MOVQ  (R9)(R10*8), R9                              \
	TESTQ R9, R9                                       \
	JEQ   done                                         \
	CMPQ  (writer_writerLink+writerLink_thread)(R9), CX                        \
	JNE   done                                         \
	CMPB  trackRecording_hasTrackRecord(R11), $0       \
	JEQ   done                                         \
	CMPB  trackRecording_hasGap(R11), $0               \
	JNE   done                                         \
	MOVQ  ·rec+recorder_position(SB), AX               \
	SUBQ  trackRecording_listedAt(R11), AX             \
	CMPQ  AX, ·rec+recorder_listAfter(SB)              \
	JGT   done                                         \
	MOVQ  trackRecording_depth(R11), DX                \
	CMPQ  DX, $const_maxOpenInRun                      \
	JGT   done                                         \
	MOVQ  writer_used(R9), SI                          \
	LEAQ  const_switchRecordWords(SI), AX              \
	CMPQ  AX, writer_limit(R9)                         \
	JGT   done                                         \
	MOVL  trackRecording_run(R11), AX                  \
	INCL  AX                                           \
	ANDL  $const_maxRun, AX                            \
	MOVL  AX, trackRecording_run(R11)                  \
	SHLQ  $const_openInRunBits, DX                     \
	ORQ   DX, AX                                       \
	SHLQ  $const_recordValueShift, AX                  \
	ORQ   SWITCH_HEAD, AX                              \
	MOVQ  writer_words(R9), DI                         \
	MOVQ  track_id(R12), DX                            \
	MOVQ  DX, 8(DI)(SI*8)                              \
	MOVQ  AX, (DI)(SI*8)                               \
	ADDQ  $const_switchRecordWords, SI                 \
	MOVQ  SI, writer_used(R9)                          \
	MOVQ  R12, writer_current(R9)                      \
	MOVQ  R9, trackRecording_writer(R11)

// TIME expects a writer in R9. It sets AX to the ticks (the argument or, if that is 0, the counter), DX to
// the ticks since the chunk's base, and SI to the index of the next word. It jumps to done if the chunk is
// full or the base is too old.
#define TIME(given) \
	MOVQ  writer_used(R9), SI           \
	CMPQ  SI, writer_limit(R9)          \
	JGE   done                          \
	MOVQ  given, AX                     \
	TESTQ AX, AX                        \
	JNE   4(PC)                         \
	RDTSC                               \
	SHLQ  $32, DX                       \
	ORQ   DX, AX                        \
	MOVQ  AX, DX                        \
	SUBQ  writer_base(R9), DX           \
	MOVQ  DX, CX                        \
	SHRQ  $(64-const_timeShift), CX     \
	JNE   done

// PUT stores a word of that kind for the ticks in DX and the function in R8.
#define PUT(kind) \
	SHLQ $const_timeShift, DX          \
	LEAQ kind(DX)(R8*4), DX            \
	MOVQ writer_words(R9), DI          \
	MOVQ DX, (DI)(SI*8)                \
	INCQ SI                            \
	MOVQ SI, writer_used(R9)

// func recordEntry(now uint64) *track
//
// BP still points into the caller's frame, so 8(BP) contains the caller's return address. Nothing is
// stored before all checks have passed. A demoted function's match is the complement of the address.
TEXT ·recordEntry(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ  $0, ret+8(FP)
	CMPB  ·usesFastPath(SB), $0
	JEQ   done
	MOVQ  8(BP), R9
	MOVQ  MULTIPLIER, R10
	MOVQ  (TLS), R8
	MOVQ  R8, AX
	IMULQ R10, AX
	SHRQ  $32, AX
	ANDL  $(const_trackBuckets-1), AX
	LEAQ  ·tracksByG(SB), R11
	IMULQ R9, R10
	SHRQ  $32, R10
	ANDL  $(const_recentSize-1), R10
	LEAQ  ·recentFunctions(SB), R12
	MOVQ  (R12)(R10*8), R13           // the function
	TESTQ R13, R13
	JEQ   done
	CMPQ  function_match(R13), R9
	JNE   other
	MOVQ  (R11)(AX*8), R12            // the track
	TESTQ R12, R12
	JEQ   done
	MOVQ  ·goidOffset(SB), CX
	MOVQ  (R8)(CX*1), CX
	CMPQ  track_id(R12), CX
	JNE   done
	LEAQ  track_trackRecording(R12), R11
	MOVQ  trackRecording_depth(R11), BX
	CMPQ  BX, trackRecording_open+8(R11)
	JGE   done
	WRITER

write:
	TIME(now+0(FP))
	MOVQ  function_number(R13), R8
	PUT(const_entryWord)
	MOVQ  trackRecording_open(R11), DI
	MOVQ  BX, CX
	SHLQ  $4, CX                      // openCall__size
	MOVQ  AX, openCall_entered(DI)(CX*1)
	MOVQ  R8, openCall_function(DI)(CX*1)
	INCQ  BX
	MOVQ  BX, trackRecording_depth(R11)
	MOVQ  R12, ret+8(FP)

done:
	RET

moved:
	SWITCH
	JMP write

other:
	NOTQ R9
	CMPQ function_match(R13), R9
	JNE  done
	MOVQ function_absent(R13), R12
	MOVQ R12, ret+8(FP)
	RET

// func recordExit(t *track, now uint64) bool
//
// Nothing is stored for a call of a demoted function that no panic ends.
TEXT ·recordExit(SB), NOSPLIT|NOFRAME, $0-17
	MOVB $0, ret+16(FP)
	CMPB ·usesFastPath(SB), $0
	JEQ  done
	MOVQ t+0(FP), R12
	MOVQ (TLS), R8
	CMPQ (track_trackLink+trackLink_g)(R12), R8
	JNE  other
	MOVQ ·panicOffset(SB), CX
	CMPQ (R8)(CX*1), $0
	JNE  done
	LEAQ track_trackRecording(R12), R11
	CMPQ trackRecording_pendingError(R11), $0
	JNE  done
	MOVQ trackRecording_depth(R11), BX
	DECQ BX
	JLT  done
	WRITER

write:
	TIME(now+8(FP))
	MOVQ trackRecording_open(R11), DI
	MOVQ BX, CX
	SHLQ $4, CX                       // openCall__size
	MOVQ openCall_function(DI)(CX*1), R8
	PUT(const_exitWord)
	MOVQ BX, trackRecording_depth(R11)
	MOVB $1, ret+16(FP)

done:
	RET

moved:
	SWITCH
	JMP write

other:
	CMPQ track_absent(R12), $0
	JEQ  done
	MOVQ ·panicOffset(SB), CX
	CMPQ (R8)(CX*1), $0
	JNE  done
	MOVB $1, ret+16(FP)
	RET
