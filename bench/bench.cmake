# build/bench: timings, outside of CTest because nothing that is timed can be a test.
file(GLOB BENCH_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
add_executable(bench ${BENCH_SOURCES})
target_link_libraries(bench PRIVATE cohort_sim)
if(TARGET cohort_model)
    target_link_libraries(bench PRIVATE cohort_model)
endif()
target_link_libraries(bench PRIVATE m)
