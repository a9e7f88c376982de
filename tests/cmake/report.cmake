# Tests of what reads stored runs share a maker of synthetic ones.
file(GLOB REPORT_HARNESS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tools/harness/*.c)
add_library(cohort_report_harness STATIC ${REPORT_HARNESS})
target_compile_definitions(cohort_report_harness PRIVATE COHORT_BINARY_DIR="${CMAKE_BINARY_DIR}"
    _XOPEN_SOURCE=700) # nftw
target_link_libraries(cohort_report_harness PUBLIC cohort_tools)
foreach(name test_store test_run_directory test_describe test_log test_plot test_replay
        test_comparison)
    if(TARGET ${name})
        target_link_libraries(${name} PRIVATE cohort_report_harness)
    endif()
endforeach()
