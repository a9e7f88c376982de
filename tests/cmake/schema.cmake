# The schema that editors use: it accepts every scenario, refuses what is wrong, and the copy beside
# the scenarios is the one this build prints. Debian's Python: the packages are in tools/packages.
if(TARGET cohort)
    add_test(NAME schema COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/schema.py
             $<TARGET_FILE:cohort> ${CMAKE_SOURCE_DIR})
endif()
