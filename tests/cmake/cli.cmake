# The program from end to end, as people type it.
if(TARGET cohort)
    add_test(NAME cli COMMAND ${CMAKE_SOURCE_DIR}/tests/tools/cli.sh $<TARGET_FILE:cohort>
        ${CMAKE_BINARY_DIR}/tests/cli)
    set_tests_properties(cli PROPERTIES TIMEOUT 300)
endif()
