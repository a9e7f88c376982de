if(TARGET cohort)
    add_test(NAME command_line
             COMMAND ${CMAKE_SOURCE_DIR}/tests/command_line.sh $<TARGET_FILE:cohort>)
endif()
